import { channelOf } from '../request.ts'
import type { Action } from './action.ts'

/** `{"action":"unsubscribe","channel":"room:1"}`; nothing happens where it has no such subscription. */
export const unsubscribe: Action = (fields) => {
  const channel = channelOf(fields)
  return {
    asks: null,
    run(client) {
      client.unsubscribe(channel)
      client.unwatchPresence(channel)
      return {}
    }
  }
}
