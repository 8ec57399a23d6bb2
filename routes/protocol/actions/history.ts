import type { HistoryMessage } from '../../../core/broadcast/history-reading.ts'
import { ScherzoError } from '../../../core/errors.ts'
import { channelOf, sinceOf } from '../request.ts'
import type { Fields } from '../request.ts'
import type { Action } from './action.ts'

/** `{"action":"history","channel":"room:1","since":{"epoch":"..","offset":12},"limit":100}`. */
export const history: Action = (fields) => {
  const channel = channelOf(fields)
  const since = sinceOf(fields)
  const options = { limit: limitOf(fields), maxBytes: MAX_BYTES, ...(since !== null && { since }) }
  return {
    asks: { actions: ['history'], channel },
    async run(_client, calls) {
      const { epoch, offset, messages } = await calls.history(channel, options)
      return { epoch, offset, messages: messages.map(forClients) }
    }
  }
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000
/** As much as a client that comes back gets at once: answers wait in memory until they are taken. */
const MAX_BYTES = 262_144
const SHOWN = 40

function limitOf({ limit = DEFAULT_LIMIT }: Fields): number {
  if (Number.isInteger(limit) && (limit as number) >= 1 && (limit as number) <= MAX_LIMIT)
    return limit as number
  throw new ScherzoError('SCZ_ERR_HUB_LIMIT', [JSON.stringify(limit).slice(0, SHOWN), MAX_LIMIT])
}

function forClients({ offset, data, isBinary, key, time }: HistoryMessage): object {
  return {
    offset,
    ...(isBinary ? { base64: (data as Buffer).toString('base64') } : { data }),
    time,
    ...(key !== null && { key })
  }
}
