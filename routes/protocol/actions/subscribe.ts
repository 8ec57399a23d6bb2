import type { Recovered, Since } from '../../../core/broadcast/since.ts'
import { ScherzoError } from '../../../core/errors.ts'
import type { ChannelCalls, Client } from '../client.ts'
import { channelOf, optionalFlagOf, sinceOf } from '../request.ts'
import type { Action } from './action.ts'

/** `{"action":"subscribe","channel":"room:1","since":{"epoch":"..","offset":12},"presence":true}`. */
export const subscribe: Action = (fields) => {
  const channel = channelOf(fields)
  const since = sinceOf(fields)
  const isWatching = optionalFlagOf(fields, 'presence')
  return {
    asks: { actions: isWatching ? ['subscribe', 'presence'] : ['subscribe'], channel },
    run(client, calls) {
      // First, because it fails where it is not known who is there, and then nothing is to begin.
      if (isWatching) client.watchPresence(channel)
      return since === null && client.has(channel) ? tellAgain(calls, channel) : begin(client, channel, since)
    }
  }
}

type Place = Pick<Recovered, 'epoch' | 'offset' | 'count' | 'lost'>

/** A client that says where it is wants to go on from there, also where it had been subscribed in the meantime. */
async function begin(client: Client, channel: string, since: Since | null): Promise<Place> {
  if (client.has(channel)) client.unsubscribe(channel)
  const outcome = await client.catchUp(channel, since)
  if (outcome === null) throw new ScherzoError('SCZ_ERR_PROTOCOL_CALLED_OFF', [channel])
  const { epoch, offset, count, lost } = outcome
  return { epoch, offset, count, lost }
}

/** Its subscription goes on as it is. */
async function tellAgain(calls: ChannelCalls, channel: string): Promise<Place> {
  const { epoch, offset } = await calls.history(channel, { limit: 1 })
  return { epoch, offset, count: 0, lost: null }
}
