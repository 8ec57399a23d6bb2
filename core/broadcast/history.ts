import type { LogRecord } from '../bus/bus.ts'
import { ChannelRules } from './channel-rules.ts'
import type { ChannelRule, HistoryRule } from './channel-rules.ts'
import { KeptMessages } from './kept-messages.ts'
import type { KeptMessage } from './kept-messages.ts'

/** Which part of a channel's past is asked for. */
export interface HistoryQuery {
  /** Of `after`; where the channel has another one, everything that is kept is meant. Null: whatever it is. */
  readonly epoch: string | null
  /** The messages behind this offset, the oldest first to be had; null: the last ones. */
  readonly after: number | null
  readonly limit: number
  /** So many bytes, but one message in any case. */
  readonly maxBytes: number
}

/** Consecutive messages. */
export interface HistoryPage {
  /** The offset of the channel's last message. */
  readonly offset: number
  /** The offset of the first message here; where there is none, of the first that could still be had. */
  readonly first: number
  readonly messages: readonly KeptMessage[]
}

/** A page, and how far the log has to be read to have met the channel's last message of that page. */
export interface HistoryAnswer extends HistoryPage {
  readonly epoch: string
  /** So many messages, of all channels, that the thread which asked reads in the log. */
  readonly position: number
}

/** Where threads ask for what was published before. */
export interface HistorySource {
  /**
   * Whatever has reached any thread before the call is in the answer, or is gone.
   *
   * @throws SCZ_ERR_CLOSED by the promise
   */
  fetch(channel: string, query: HistoryQuery): Promise<HistoryAnswer>
}

export type HistoryRecord = Pick<LogRecord, 'channel' | 'offset' | 'isText' | 'data' | 'key' | 'time'>

/**
 * What is kept for those who come back, by the rules of the channels: bounded by count, by age, and by the bytes of all
 * channels together. When these are too many, the channels that keep the most are cut down to one level, the oldest first, so
 * that a busy channel does not cost the quiet ones their past.
 */
export class History {
  readonly #maxBytes: number
  readonly #now: () => number
  readonly #rules = new ChannelRules()
  readonly #channels = new Map<string, KeptMessages>()
  #bytes = 0

  /** @param now the time in milliseconds since 1970 */
  constructor(maxBytes: number, now: () => number = Date.now) {
    this.#maxBytes = maxBytes
    this.#now = now
  }

  /** What everything that is kept counts for. */
  get bytes(): number {
    return this.#bytes
  }

  /** @throws SCZ_ERR_HUB_RULE */
  setRule(pattern: string, rule: ChannelRule): void {
    if (this.#rules.set(pattern, rule)) this.sweep()
  }

  take(record: HistoryRecord): void {
    const { channel } = record
    const rule = this.#rules.of(channel)?.history
    if (rule === undefined) return
    const kept = this.#keptOf(channel, record.offset)
    this.#change(kept, () => {
      kept.push({
        data: record.data.toString('latin1'),
        isText: record.isText,
        key: record.key,
        time: record.time
      })
      this.#dropOld(kept, rule)
    })
    if (this.#bytes > this.#maxBytes) this.#cut()
  }

  /** @param last the offset of the channel's last message, where nothing of it is kept */
  page(channel: string, { after, limit, maxBytes }: Omit<HistoryQuery, 'epoch'>, last: number): HistoryPage {
    const kept = this.#channels.get(channel)
    const rule = this.#rules.of(channel)?.history
    if (kept === undefined || rule === undefined) return { offset: last, first: last + 1, messages: [] }
    this.#change(kept, () => this.#dropOld(kept, rule))
    const first = Math.max(kept.first, after === null ? kept.last - limit + 1 : after + 1)
    if (first > kept.last) return { offset: kept.last, first: kept.last + 1, messages: [] }
    return { offset: kept.last, first, messages: kept.from(first, limit, maxBytes) }
  }

  /** Drops what is too old, in every channel. */
  sweep(): void {
    for (const [channel, kept] of this.#channels) {
      const rule = this.#rules.of(channel)?.history
      this.#change(kept, () => {
        if (rule !== undefined) this.#dropOld(kept, rule)
        else while (kept.size > 0) kept.shift()
      })
      this.#forgetEmpty(channel, kept)
    }
  }

  #keptOf(channel: string, offset: number): KeptMessages {
    const known = this.#channels.get(channel)
    if (known !== undefined && known.last === offset - 1) return known
    if (known !== undefined) this.#bytes -= known.bytes + weightOf(channel)
    const kept = new KeptMessages(offset - 1)
    this.#channels.set(channel, kept)
    this.#bytes += weightOf(channel)
    return kept
  }

  #dropOld(kept: KeptMessages, { size, age }: HistoryRule): void {
    while (kept.size > size) kept.shift()
    const since = this.#now() - age * 1000
    for (let { oldest } = kept; oldest !== null && oldest.time < since; { oldest } = kept) kept.shift()
  }

  #cut(): void {
    const level = this.#levelFor(this.#maxBytes - this.#maxBytes / SPARE_SHARE)
    for (const [channel, kept] of this.#channels) {
      this.#change(kept, () => {
        while (kept.bytes > level) kept.shift()
      })
      this.#forgetEmpty(channel, kept)
    }
  }

  /** The most bytes that a channel may have for all of them to have so many. Halving finds it in one look at each for a bit. */
  #levelFor(target: number): number {
    let low = 0
    let high = target
    while (high - low > LEVEL_STEP) {
      const level = (low + high) / 2
      let sum = 0
      for (const [channel, { bytes }] of this.#channels) sum += Math.min(bytes, level) + weightOf(channel)
      if (sum > target) high = level
      else low = level
    }
    return low
  }

  #change(kept: KeptMessages, change: () => void): void {
    const { bytes } = kept
    change()
    this.#bytes += kept.bytes - bytes
  }

  #forgetEmpty(channel: string, { size }: KeptMessages): void {
    if (size > 0) return
    this.#channels.delete(channel)
    this.#bytes -= weightOf(channel)
  }
}

/** What a channel counts for beside its messages. */
function weightOf(channel: string): number {
  return CHANNEL_OVERHEAD + channel.length
}

const CHANNEL_OVERHEAD = 256
/** So much less than the limit is left when it has been reached, so that it is not reached again at once. */
const SPARE_SHARE = 16
const LEVEL_STEP = 64
