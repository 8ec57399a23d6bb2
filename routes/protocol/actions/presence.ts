import { channelOf } from '../request.ts'
import type { Action } from './action.ts'

/** `{"action":"presence","channel":"room:1"}`. */
export const presence: Action = (fields) => {
  const channel = channelOf(fields)
  return {
    asks: { actions: ['presence'], channel },
    async run(_client, calls) {
      const { count, members } = await calls.presence(channel)
      return { count, ...(members !== null && { members }) }
    }
  }
}
