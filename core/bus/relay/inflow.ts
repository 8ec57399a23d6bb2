import { setTimeout as delay } from 'node:timers/promises'
import type { Broker, Delivery, Outgoing, Past, PastQuery, Place, Retention } from '../broker.ts'
import type { Log } from '../log.ts'
import { type LogEntry, writeEntry } from '../log-entry.ts'
import { Queue } from '../queue.ts'
import { Followed } from './followed.ts'

/** How much of what the broker has delivered may wait for room in the log, in bytes. Beyond it, it is dropped and asked for later. */
const MAX_WAITING_BYTES = 33_554_432
/** What an entry takes beside its data, roughly. */
const ENTRY_OVERHEAD = 256
/** As much as is asked for at once. */
const PAGE = { limit: 1000, maxBytes: 1_048_576 }
/** How many channels are looked after at a time when the broker has come back. */
const CHECKED_AT_ONCE = 64
/** Before the broker is asked again after it failed, in milliseconds. */
const RETRY_DELAY = 200
/** How much is written to the log before the rest of the event loop has its turn. */
const TURN_BYTES = 524_288
/** Of the instance's own channels: they end with it. */
const OWN_EPOCH = '0'.repeat(32)

/** A page of a channel's past, and how many messages of all channels the log has when it has had all of that page's time. */
export interface LeveledPast {
  readonly past: Past
  readonly position: number
}

/**
 * From the broker to the log. Deliveries may have holes, because a connection was lost: what is missing is fetched from the channel's
 * history before anything behind it goes on, and what can't be had any more is told in its place.
 */
export class Inflow {
  readonly #broker: Broker
  readonly #retentionOf: (channel: string) => Retention | null
  readonly #channels = new Map<string, Followed>()
  readonly #queue = new Queue<LogEntry>()
  readonly #stale = new Set<Followed>()
  readonly #own = new Map<string, Followed>()
  /** What waits until so many entries are in the log. */
  readonly #writing = new Queue<Writing>()
  #queueBytes = 0
  #numbers = 0
  #written = 0
  #isBlocked = false
  #isClosed = false
  #log: Log | null = null
  #wake: () => void = () => {}
  /** Messages that could not be had. */
  lost = 0

  constructor(broker: Broker, retentionOf: (channel: string) => Retention | null) {
    this.#broker = broker
    this.#retentionOf = retentionOf
  }

  get channels(): number {
    return this.#channels.size
  }

  /** How many entries the log has had. */
  get written(): number {
    return this.#written
  }

  /** Whether the log has no room for what is here. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  get waiting(): number {
    return this.#queue.size
  }

  /** @param wake is called when there is something to write */
  attach(log: Log, wake: () => void): void {
    this.#log = log
    this.#wake = wake
  }

  /** Resolves when everything that is published in the channels from then on reaches the log, or is told as lost there. */
  async follow(channels: readonly string[]): Promise<void> {
    const fresh = channels.filter((channel) => !this.#channels.has(channel))
    const followed = fresh.map((channel) => new Followed(channel, ++this.#numbers))
    for (const each of followed) this.#channels.set(each.channel, each)
    if (followed.length > 0) {
      const subscribed = this.#subscribe(followed)
      for (const each of followed) {
        each.ready = subscribed.then(() => this.#begin(each))
        each.ready.catch(() => {})
      }
    }
    await Promise.all(channels.map((channel) => this.#channels.get(channel)?.ready))
  }

  unfollow(channels: readonly string[]): void {
    for (const channel of channels) {
      const followed = this.#channels.get(channel)
      if (followed === undefined) continue
      followed.isOver = true
      this.#stale.delete(followed)
      this.#channels.delete(channel)
    }
    this.#broker.unsubscribe(channels)
  }

  take(delivery: Delivery): void {
    const followed = this.#channels.get(delivery.channel)
    if (followed !== undefined) this.#take(followed, delivery)
  }

  /** Writes to one of the instance's own channels. Resolves when it is in the log. */
  passOwn({ channel, data, isText, key, meta }: Outgoing): Promise<Place> {
    const own = this.#own.get(channel) ?? new Followed(channel, ++this.#numbers)
    this.#own.set(channel, own)
    const place = { epoch: OWN_EPOCH, offset: ++own.offset }
    this.#push({ ...place, channel: own, time: Date.now(), data, isText, key, meta, isGap: false })
    const { promise, resolve } = Promise.withResolvers<Place>()
    this.#writing.push({ end: this.#written + this.#queue.size, resolve: () => resolve(place) })
    return promise
  }

  /** Of the last message that has come here; 0 where none has. */
  offsetOf(channel: string): number {
    return (this.#channels.get(channel) ?? this.#own.get(channel))?.offset ?? 0
  }

  /** Looks what has been missed, in every channel. */
  async checkAll(): Promise<void> {
    const channels = this.#channels.values()
    const check = async (): Promise<void> => {
      for (const followed of channels) if (followed.epoch !== '') await this.#fill(followed)
    }
    await Promise.all(Array.from({ length: CHECKED_AT_ONCE }, check))
  }

  /** A page of the past. When the log has been read up to the position, all messages up to the page's offset have been met there. */
  async past(channel: string, query: PastQuery): Promise<LeveledPast> {
    for (;;) {
      const followed = this.#channels.get(channel)
      await followed?.ready
      if (followed !== undefined && query.retention === null) return this.#here(nothingOf(followed))
      const past = await this.#broker.past(channel, query)
      if (followed === undefined || followed.isOver) return this.#here(past)
      if (past.epoch !== followed.epoch) await this.#fill(followed)
      while (past.epoch === followed.epoch && past.offset > followed.offset && !followed.isOver) {
        // The log has no room: it is filled when it has.
        if (followed.isStale) await delay(RETRY_DELAY)
        else await this.#fill(followed)
      }
      // Where it has begun anew meanwhile, the page is of the time before.
      if (past.epoch === followed.epoch || followed.isOver) return this.#here(past)
    }
  }

  /** Writes to the log what it has room for. @returns how many bytes */
  write(): number {
    const log = this.#log!
    let bytes = 0
    this.#isBlocked = false
    for (let next = this.#queue.first; next !== undefined && bytes < TURN_BYTES; next = this.#queue.first) {
      if (!writeEntry(log, next)) {
        this.#isBlocked = true
        break
      }
      this.#queue.shift()
      this.#written++
      bytes += weightOf(next)
    }
    if (bytes === 0) return 0
    this.#queueBytes -= bytes
    log.publish()
    for (let next = this.#writing.first; next !== undefined && next.end <= this.#written;) {
      this.#writing.shift()
      next.resolve()
      next = this.#writing.first
    }
    if (this.#stale.size > 0 && this.#queue.size === 0) this.#refresh()
    return bytes
  }

  close(): void {
    this.#isClosed = true
    for (const followed of this.#channels.values()) followed.isOver = true
  }

  /** Until it has succeeded: a connection may be lost in the middle of it. */
  async #subscribe(followed: readonly Followed[]): Promise<void> {
    for (;;) {
      const channels = followed.filter(({ isOver }) => !isOver).map(({ channel }) => channel)
      if (channels.length === 0) return
      try {
        return await this.#broker.subscribe(channels)
      } catch {
        await delay(RETRY_DELAY, undefined, { ref: false })
      }
    }
  }

  /** Finds out where the channel is. All that comes behind that goes to the log. */
  async #begin(followed: Followed): Promise<void> {
    const past = await this.#ask(followed, { epoch: null, after: null, limit: 0, maxBytes: 0 })
    if (past === null) return
    followed.epoch = past.epoch
    followed.offset = past.offset
    this.#release(followed)
  }

  #take(followed: Followed, delivery: Delivery): void {
    if (followed.isStale) return
    if (followed.epoch === '' || followed.filling !== null) return followed.keep(delivery)
    if (delivery.epoch === followed.epoch) {
      if (delivery.offset <= followed.offset) return
      if (delivery.offset === followed.offset + 1) return this.#pass(followed, delivery)
    }
    followed.keep(delivery)
    void this.#fill(followed)
  }

  #fill(followed: Followed): Promise<void> {
    followed.filling ??= this.#fillNow(followed).finally(() => {
      followed.filling = null
      this.#release(followed)
    })
    return followed.filling
  }

  async #fillNow(followed: Followed): Promise<void> {
    // These came before the question, so the answer's epoch is not older than theirs.
    const { early } = followed
    followed.early = []
    for (;;) {
      const past = await this.#ask(followed, { epoch: followed.epoch, after: followed.offset, ...PAGE })
      if (past === null || followed.isOver) return
      if (past.epoch === followed.epoch && past.offset < followed.offset) {
        const { channel, epoch, offset } = followed
        await this.#broker.renew(channel, { epoch, offset }).catch(() => delay(RETRY_DELAY))
        continue
      }
      this.#adopt(followed, past, early)
      if (followed.offset >= past.offset || past.messages.length === 0 || followed.isStale) break
    }
    for (const delivery of early) {
      if (delivery.epoch === followed.epoch && delivery.offset === followed.offset + 1)
        this.#pass(followed, delivery)
    }
  }

  #adopt(followed: Followed, past: Past, early: readonly Delivery[]): void {
    if (past.epoch !== followed.epoch) {
      followed.epoch = past.epoch
      followed.offset = 0
      const to = endOfGap(followed, past, early)
      this.#passGap(followed, 1, to, true)
    } else if (past.first > followed.offset + 1) {
      const to = endOfGap(followed, past, early)
      if (to > followed.offset) this.#passGap(followed, followed.offset + 1, to, false)
    }
    for (const message of past.messages) {
      if (message.offset === followed.offset + 1) this.#pass(followed, message)
    }
  }

  /** What came while something was missing has its turn. */
  #release(followed: Followed): void {
    const { early } = followed
    followed.early = []
    for (const delivery of early) this.#take(followed, delivery)
  }

  #pass(followed: Followed, delivery: Delivery): void {
    if (this.#queueBytes > MAX_WAITING_BYTES) {
      followed.isStale = true
      this.#stale.add(followed)
      return
    }
    followed.offset = delivery.offset
    this.#push({ ...delivery, channel: followed, isGap: false })
  }

  /** A gap up to the offset before the first one says only that the channel has begun anew. */
  #passGap(followed: Followed, from: number, to: number, isNewEpoch: boolean): void {
    this.lost += to - from + 1
    followed.offset = to
    this.#push({
      channel: followed,
      epoch: followed.epoch,
      offset: to,
      time: Date.now(),
      data: Buffer.from(String(from)),
      isText: isNewEpoch,
      key: '',
      meta: '',
      isGap: true
    })
  }

  #push(entry: LogEntry): void {
    this.#queue.push(entry)
    this.#queueBytes += weightOf(entry)
    this.#wake()
  }

  /** The log has caught up: what was dropped meanwhile is fetched. */
  #refresh(): void {
    const stale = [...this.#stale]
    this.#stale.clear()
    for (const followed of stale) {
      followed.isStale = false
      void this.#fill(followed)
    }
  }

  /** Asks until there is an answer; null: nobody wants it any more. */
  async #ask(followed: Followed, query: Omit<PastQuery, 'retention'>): Promise<Past | null> {
    const { channel } = followed
    while (!this.#isClosed && !followed.isOver) {
      try {
        return await this.#broker.past(channel, { ...query, retention: this.#retentionOf(channel) })
      } catch {
        await delay(RETRY_DELAY, undefined, { ref: false })
      }
    }
    return null
  }

  #here(past: Past): LeveledPast {
    return { past, position: this.#written + this.#queue.size }
  }
}

interface Writing {
  readonly end: number
  readonly resolve: () => void
}

/** A channel that keeps nothing may still have under way what its history does not have. */
function endOfGap(followed: Followed, past: Past, early: readonly Delivery[]): number {
  if (past.messages.length > 0) return past.first - 1
  const next = followed.nextEarly(early)
  return next === null ? past.offset : Math.min(past.offset, next - 1)
}

function nothingOf({ epoch, offset }: Followed): Past {
  return { epoch, offset, first: offset + 1, messages: [] }
}

function weightOf({ data, key, meta }: LogEntry): number {
  return ENTRY_OVERHEAD + data.length + key.length + meta.length
}
