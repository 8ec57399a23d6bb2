import { isIP } from 'node:net'

/**
 * Whether a Host header can be that of somebody who means this admin server. A web page anywhere may have a name of its own
 * point at 127.0.0.1 (DNS rebinding), and the browser then lets it read the answers; its requests carry that name.
 *
 * @param header undefined for HTTP/1.0 without one, which no browser sends
 * @param configured the host that the admin server was told to listen on
 */
export function isAllowedHost(header: string | undefined, configured: string): boolean {
  if (header === undefined) return true
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::[0-9]*)?$/.exec(header) ?? []
  if (ipv6 !== undefined) return isIP(ipv6) === 6
  const lowered = name.toLowerCase()
  return isIP(name) === 4 || lowered === 'localhost' || (name !== '' && lowered === configured.toLowerCase())
}
