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

// Most requests name the same host; comparing with the last good one is cheaper than the pattern.
let lastGoodHost: string | null = null

function isAcceptedHost(value: string): boolean {
  if (value === lastGoodHost) return true
  if (!isHost(value)) return false
  lastGoodHost = value
  return true
}
