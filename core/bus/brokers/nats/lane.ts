import { randomBytes } from 'node:crypto'
import { JetStreamApiError } from '@nats-io/jetstream'
import { ScherzoError, reasonOf } from '../../../errors.ts'
import type { Outgoing, Place, Retention } from '../../broker.ts'
import { Queue } from '../../queue.ts'
import type { Published } from '../../settler.ts'
import { type Batch, MESSAGE_OVERHEAD, bodyOf, placeOf } from './batch.ts'
import type { StoredBatch } from './streams.ts'

/** JetStream has another last message of the subject than the one that was expected. */
const WRONG_LAST_SEQUENCE = 10_071
/** What JetStream can't take now, and later neither. */
const REFUSED = new Set([10_023, 10_047, 10_054, 10_077])
/** How much goes into one batch, in bytes and messages. */
const BATCH_BYTES = 65_536
const BATCH_MESSAGES = 256
const RETRY_DELAY = 100
/** How far back it is looked whether a batch of unknown fate was taken. */
const LOOKED_BACK = 64

/** What JetStream has answered. */
export interface Sent {
  readonly sequence: number
  /** It had a message with the same idempotency key, and that is its sequence. */
  readonly isDuplicate: boolean
}

/** What a lane needs of its broker. */
export interface LaneHost {
  last(channel: string, retention: Retention | null): Promise<StoredBatch | null>
  before(retention: Retention | null, sequence: number): Promise<StoredBatch | null>
  /** Publishes a batch behind the one with this sequence. */
  send(
    channel: string,
    retention: Retention | null,
    batch: Batch,
    expected: number,
    once: string
  ): Promise<Sent>
  /** Where the message with the idempotency key stands; null: there was none, as far as is known. */
  placeOnce(channel: string, key: string): Promise<Place | null>
  keepOnce(channel: string, key: string, place: Place): Promise<void>
  onIdle(lane: Lane): void
}

/**
 * The messages of one channel on their way to NATS. Streams number all their subjects together, so a channel's offsets are in what
 * is published: each batch says behind which it belongs, and JetStream takes it only if that is the last one. Whoever was faster
 * makes the others number theirs anew. What is there when an answer comes goes out as the next batch.
 *
 * A message with an idempotency key is a batch by itself. JetStream knows such keys for some minutes, and takes none twice; for the
 * rest of the window the place of the message is looked up first, in a stream for that.
 *
 * A batch whose answer is lost can be sent again: it is taken once at most, and is looked for before.
 */
export class Lane {
  readonly key: string
  readonly channel: string
  readonly #retention: Retention | null
  readonly #host: LaneHost
  readonly #waiting = new Queue<Entry>()
  #underWay: Entry[] = []
  /** Behind the last batch, as far as is known; null: it has to be looked up. */
  #end: (Place & { readonly sequence: number }) | null = null
  #isRunning = false

  constructor(key: string, channel: string, retention: Retention | null, host: LaneHost) {
    this.key = key
    this.channel = channel
    this.#retention = retention
    this.#host = host
  }

  get pending(): number {
    return this.#waiting.size + this.#underWay.length
  }

  /** Since when the oldest has waited, by performance.now(). */
  get oldest(): number {
    return Math.min(this.#underWay[0]?.since ?? Infinity, this.#waiting.first?.since ?? Infinity)
  }

  push(message: Outgoing): Promise<Published> {
    const { promise, resolve, reject } = Promise.withResolvers<Published>()
    const since = performance.now()
    const once = message.idempotencyKey
    this.#waiting.push({ body: bodyOf(message), once, since, isSettled: false, resolve, reject })
    if (!this.#isRunning) void this.#run()
    return promise
  }

  /** Refuses what has waited since before this time. */
  expire(before: number, error: () => Error): void {
    for (const entry of this.#underWay) if (entry.since < before) refuse(entry, error())
    for (
      let { first } = this.#waiting;
      first !== undefined && first.since < before;
      { first } = this.#waiting
    )
      refuse(this.#waiting.shift()!, error())
  }

  /** Gives a channel that has had no message its epoch. */
  async begin(): Promise<Place> {
    for (;;) {
      const last = await this.#host.last(this.channel, this.#retention)
      if (last !== null) return placeOf(last.batch)
      const batch = this.#batch({ epoch: newId(), offset: 0, sequence: 0 }, newId(), [])
      try {
        await this.#host.send(this.channel, this.#retention, batch, 0, '')
        return placeOf(batch)
      } catch (error) {
        if (!isWrongSequence(error)) throw error
      }
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.size > 0) await this.#sendNext()
    this.#isRunning = false
    this.#host.onIdle(this)
  }

  async #sendNext(): Promise<void> {
    const entries = this.#take()
    this.#underWay = entries
    const id = newId()
    const { once } = entries[0]!
    let isRepeated = false
    while (entries.some(({ isSettled }) => !isSettled)) {
      try {
        const known = once === '' || isRepeated ? null : await this.#host.placeOnce(this.channel, once)
        if (known !== null) return this.#settleOnce(entries[0]!, known)
        const end = await this.#find(isRepeated ? id : null)
        if (end.isTaken) return await this.#settle(entries, end.place)
        const batch = this.#batch(
          end.place,
          id,
          entries.map(({ body }) => body)
        )
        isRepeated = true
        const expected = end.place.sequence
        const sent = await this.#host.send(this.channel, this.#retention, batch, expected, once)
        if (sent.isDuplicate) return this.#settleOnce(entries[0]!, await this.#placeOf(sent.sequence, once))
        return await this.#settle(entries, { ...placeOf(batch), sequence: sent.sequence })
      } catch (error) {
        this.#end = null
        if (isRefused(error)) return this.#refuse(entries, error)
        if (!isWrongSequence(error)) await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY).unref())
      }
    }
    this.#underWay = []
  }

  /** @param id of a batch that may have been taken */
  async #find(
    id: string | null
  ): Promise<{ readonly isTaken: boolean; readonly place: Place & { readonly sequence: number } }> {
    if (this.#end !== null) return { isTaken: false, place: this.#end }
    const last = await this.#host.last(this.channel, this.#retention)
    if (last === null) return { isTaken: false, place: { epoch: newId(), offset: 0, sequence: 0 } }
    const place = { ...placeOf(last.batch), sequence: last.sequence }
    if (id === null) return { isTaken: false, place }
    let stored: StoredBatch | null = last
    for (let steps = 0; stored !== null && steps < LOOKED_BACK; steps++) {
      if (stored.batch.id === id)
        return { isTaken: true, place: { ...placeOf(stored.batch), sequence: stored.sequence } }
      stored = await this.#host.before(this.#retention, stored.batch.previous)
    }
    return { isTaken: false, place }
  }

  #take(): Entry[] {
    const entries: Entry[] = []
    let bytes = 0
    for (let { first } = this.#waiting; first !== undefined; { first } = this.#waiting) {
      if (first.once !== '' && entries.length > 0) break
      bytes += first.body.length + MESSAGE_OVERHEAD
      if (entries.length > 0 && (bytes > BATCH_BYTES || entries.length === BATCH_MESSAGES)) break
      entries.push(this.#waiting.shift()!)
      if (first.once !== '') break
    }
    return entries
  }

  #batch(end: Place & { readonly sequence: number }, id: string, messages: readonly Buffer[]): Batch {
    return {
      epoch: end.epoch,
      first: end.offset + 1,
      time: Date.now(),
      previous: end.sequence,
      id,
      messages
    }
  }

  async #settle(entries: readonly Entry[], end: Place & { readonly sequence: number }): Promise<void> {
    this.#end = end
    const { once } = entries[0]!
    const { epoch, offset } = end
    // Without it JetStream still knows the key for some minutes.
    if (once !== '') await this.#host.keepOnce(this.channel, once, { epoch, offset }).catch(() => {})
    this.#underWay = []
    const first = end.offset - entries.length + 1
    for (const [index, entry] of entries.entries()) {
      entry.isSettled = true
      entry.resolve({ epoch: end.epoch, offset: first + index })
    }
  }

  #settleOnce(entry: Entry, { epoch, offset }: Place): void {
    this.#underWay = []
    entry.isSettled = true
    entry.resolve({ epoch, offset, duplicate: true })
  }

  /** Its stream may have dropped it, while the instance that published it has not written down yet where it was. */
  async #placeOf(sequence: number, once: string): Promise<Place> {
    const stored = await this.#host.before(this.#retention, sequence)
    if (stored !== null) return placeOf(stored.batch)
    for (let tries = 0; tries < 10; tries++) {
      const place = await this.#host.placeOnce(this.channel, once)
      if (place !== null) return place
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY).unref())
    }
    const last = await this.#host.last(this.channel, this.#retention)
    return { epoch: last?.batch.epoch ?? newId(), offset: 0 }
  }

  #refuse(entries: readonly Entry[], error: unknown): void {
    this.#underWay = []
    for (const entry of entries) refuse(entry, new ScherzoError('SCZ_ERR_BROKER_REFUSED', [reasonOf(error)]))
  }
}

interface Entry {
  readonly body: Buffer
  /** The idempotency key; '' is none. */
  readonly once: string
  readonly since: number
  isSettled: boolean
  readonly resolve: (published: Published) => void
  readonly reject: (error: Error) => void
}

function refuse(entry: Entry, error: Error): void {
  entry.isSettled = true
  entry.reject(error)
}

function newId(): string {
  return randomBytes(16).toString('hex')
}

function isWrongSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE
}

function isRefused(error: unknown): boolean {
  return error instanceof JetStreamApiError && REFUSED.has(error.code)
}
