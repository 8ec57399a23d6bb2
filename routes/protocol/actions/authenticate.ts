import { ScherzoError } from '../../../core/errors.ts'
import type { Action } from './action.ts'

/** `{"action":"authenticate","token":".."}` is for the first message of a socket that waits for one: see first-message.ts. */
export const authenticate: Action = () => {
  throw new ScherzoError('SCZ_ERR_PROTOCOL_AUTHENTICATED')
}
