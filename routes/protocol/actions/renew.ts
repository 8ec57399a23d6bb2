import { ScherzoError } from '../../../core/errors.ts'
import { stringOf } from '../request.ts'
import type { Action } from './action.ts'

/** `{"action":"renew","token":".."}`. */
export const renew: Action = (fields) => {
  const token = stringOf(fields, 'token')
  return {
    asks: null,
    async run({ standing }) {
      if (standing === null)
        throw new ScherzoError('SCZ_ERR_IDENTITY_RENEW', ['the route does not ask who connects'])
      await standing.renewWith(token)
      return { expires: standing.expires }
    }
  }
}
