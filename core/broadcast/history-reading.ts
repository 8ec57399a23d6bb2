import { ScherzoError } from '../errors.ts'
import { type HubData, checkChannel, decodeData } from './data.ts'
import type { HistorySource } from './history.ts'
import { type Since, checkSince } from './since.ts'

export interface HistoryOptions {
  /** What comes behind this place, the oldest first to be had. @default the last messages */
  readonly since?: Since
  /** The most messages to get, from 1 to 10000. @default 1000 */
  readonly limit?: number
  /** The most bytes of data to get, of which one message may have more. @default no limit */
  readonly maxBytes?: number
}

/** What a channel had before, the oldest message first. */
export interface HubHistory {
  readonly epoch: string
  /** Of the channel's last message; 0 before the first one. */
  readonly offset: number
  readonly messages: readonly HistoryMessage[]
  /** Whether that is everything from `since`, or from the channel's first message on, to its last one. */
  readonly isComplete: boolean
}

export interface HistoryMessage {
  readonly offset: number
  /** What was published: a Buffer if it was bytes, otherwise what JSON made of it. */
  readonly data: HubData
  readonly isBinary: boolean
  /** The conflation key; null if it has none. */
  readonly key: string | null
  /** When it was published, in milliseconds since 1970. */
  readonly time: number
}

/** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_SINCE, SCZ_ERR_HUB_LIMIT, SCZ_ERR_HUB_OFFSET, SCZ_ERR_CLOSED */
export async function readHistory(
  source: HistorySource,
  channel: string,
  { since, limit = DEFAULT_LIMIT, maxBytes = Infinity }: HistoryOptions = {}
): Promise<HubHistory> {
  checkChannel(channel)
  if (since !== undefined) checkSince(since)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new ScherzoError('SCZ_ERR_HUB_LIMIT', [String(limit), MAX_LIMIT])
  const query = { epoch: since?.epoch ?? null, after: since?.offset ?? null, limit, maxBytes }
  const { epoch, offset, first, messages } = await source.fetch(channel, query)
  const isOtherEpoch = since !== undefined && since.epoch !== epoch
  // Of another epoch nothing is left: all that there is comes after it.
  const after = since === undefined ? null : isOtherEpoch ? 0 : since.offset
  if (after !== null && after > offset) throw new ScherzoError('SCZ_ERR_HUB_OFFSET', [channel, after, offset])
  const isWhole = first === (after ?? 0) + 1 && first + messages.length === offset + 1
  return {
    epoch,
    offset,
    messages: messages.map(({ data, isText, key, time }, index) => ({
      offset: first + index,
      data: decodeData(Buffer.from(data, 'latin1'), isText),
      isBinary: !isText,
      key,
      time
    })),
    isComplete: isWhole && !isOtherEpoch
  }
}

const DEFAULT_LIMIT = 1000
const MAX_LIMIT = 10_000
