import { ScherzoError } from '../../../core/errors.ts'
import { channelOf } from '../request.ts'
import type { Action } from './action.ts'

/** `{"action":"presence","channel":"room:1"}`. */
export const presence: Action = (fields) => {
  const channel = channelOf(fields)
  return {
    asks: { action: 'presence', channel },
    run() {
      throw new ScherzoError('SCZ_ERR_PROTOCOL_PRESENCE', [channel])
    }
  }
}
