import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { ScherzoError, reasonOf } from '../core/errors.ts'

/** An address that workers can listen on. */
export interface ClaimedAddress {
  /** The IP address that the host name stands for. */
  readonly host: string
  readonly port: number
}

/**
 * Checks that the address is free and finds a port for port 0. With `reusePort` a second server could listen on a taken
 * port without an error, so the check listens without it.
 *
 * @throws SCZ_ERR_LISTEN
 */
export async function claimAddress(host: string, port: number): Promise<ClaimedAddress> {
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject).listen({ host, port, exclusive: true }, resolve)
    })
  } catch (error) {
    throw listenError(host, port, error)
  }
  const address = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return { host: address.address, port: address.port }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; stop the other server or choose another port',
  EACCES: 'permission denied; ports below 1024 are for privileged users',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the host name could not be looked up',
  ENOTSUP: 'this platform can not share a port between workers; use one worker'
}

/** @param code that of the server which could not listen */
export function listenError(
  host: string,
  port: number,
  error: unknown,
  code: 'SCZ_ERR_LISTEN' | 'SCZ_ERR_ADMIN_LISTEN' = 'SCZ_ERR_LISTEN'
): ScherzoError {
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = REASONS[systemCode] ?? reasonOf(error)
  return new ScherzoError(code, [hostAndPort(host, port), reason], { cause: error })
}

/** As in a URL: an IPv6 address gets its brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
