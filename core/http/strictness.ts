import type { ErrorCode } from '../errors.ts'
import { isHost } from './host.ts'

/** What the check looks at; `node:http` hands it over in this shape. */
export interface ReceivedHead {
  readonly method: string
  readonly target: string
  readonly version: string
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[]
}

/**
 * Refuses what Node's parser lets through although RFC 9112 says 400: more than one Host or a malformed one
 * (section 3.2), "*" for another method than OPTIONS (section 3.2.4), an empty Transfer-Encoding (section 6.1).
 *
 * @returns the error to answer with, or null
 */
export function findFault(head: ReceivedHead): ErrorCode | null {
  const { rawHeaders } = head
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4) {
      if (name.toLowerCase() !== 'host') continue
      if (++hosts > 1 || !isAcceptedHost(rawHeaders[index + 1]!)) return 'SCZ_ERR_HOST'
    } else if (name.length === 17) {
      if (name.toLowerCase() === 'transfer-encoding' && rawHeaders[index + 1]!.trim() === '') {
        return 'SCZ_ERR_TRANSFER_ENCODING'
      }
    }
  }
  if (hosts === 0 && head.version === '1.1') return 'SCZ_ERR_HOST'
  if (head.target === '*' && head.method !== 'OPTIONS') return 'SCZ_ERR_TARGET'
  return null
}

/** The same of a request over HTTP/2. */
export interface ReceivedHttp2Head {
  readonly method: string
  readonly target: string
  /** Of the pseudo-header `:authority`, or null. */
  readonly authority: string | null
  readonly host: string | null
}

/**
 * Refuses what nghttp2 lets through although RFC 9113 section 8.3.1 calls it malformed: a name of the host that is none, and
 * two that differ. It refuses by itself a request without either or with one of them twice, and "*" for another method than
 * OPTIONS.
 *
 * @returns the error to answer with, or null
 */
export function findHttp2Fault({ method, target, authority, host }: ReceivedHttp2Head): ErrorCode | null {
  const name = authority ?? host
  if (name === null || !isAcceptedHost(name)) return 'SCZ_ERR_HOST'
  if (host !== null && host.toLowerCase() !== name.toLowerCase()) return 'SCZ_ERR_HOST'
  return target === '*' && method !== 'OPTIONS' ? 'SCZ_ERR_TARGET' : null
}

// Most requests name the same host; comparing with the last good one is cheaper than the pattern.
let lastGoodHost: string | null = null

function isAcceptedHost(value: string): boolean {
  if (value === lastGoodHost) return true
  if (!isHost(value)) return false
  lastGoodHost = value
  return true
}
