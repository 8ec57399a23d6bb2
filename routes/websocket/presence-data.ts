import { ScherzoError, reasonOf } from '../../core/errors.ts'
import { encodeData } from '../../core/broadcast/data.ts'
import type { Identity } from './identity.ts'

/** What others see of an identity; undefined or null: nothing but its id. */
export type PresenceData = (identity: Identity) => unknown

/** The primary and every worker that the identity has sockets on keep it, and all who watch are sent it. */
const MAX_BYTES = 1024

/**
 * JSON, or null where there is nothing to show.
 *
 * @throws SCZ_ERR_HUB_PRESENCE_DATA
 */
export function shownOf(presenceData: PresenceData, identity: Identity): string | null {
  const json = encode(presenceData, identity)
  if (json !== null && Buffer.byteLength(json) > MAX_BYTES)
    throw new ScherzoError('SCZ_ERR_HUB_PRESENCE_DATA', [`it has more than ${MAX_BYTES} bytes as JSON`])
  return json
}

function encode(presenceData: PresenceData, identity: Identity): string | null {
  try {
    const value = presenceData(identity)
    if (value === undefined || value === null) return null
    const json = encodeData(value)
    if (typeof json === 'string') return json
  } catch (error) {
    throw new ScherzoError('SCZ_ERR_HUB_PRESENCE_DATA', [reasonOf(error)], { cause: error })
  }
  throw new ScherzoError('SCZ_ERR_HUB_PRESENCE_DATA', ['bytes are no JSON'])
}
