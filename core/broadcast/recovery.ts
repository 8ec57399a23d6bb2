import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { ScherzoError } from '../errors.ts'
import type { Channel } from './channel.ts'
import type { Format } from './format.ts'
import type { HistoryAnswer, HistorySource } from './history.ts'
import { Message } from './message.ts'
import { Parcel } from './parcel.ts'
import type { Lost, Since } from './since.ts'

/** What a recovery needs of its hub. */
export interface RecoveryHost {
  readonly history: HistorySource
  /** How many members are served before the rest of the event loop has its turn. */
  readonly chunk: number
  /** Settles when so many messages, of all channels, have been read. */
  whenRead(position: number): Promise<void>
  /** Calls back when everything has been read that is in the log now, and nothing that is not. */
  mark(onPassed: () => void): void
  /** Forgets the channel if nobody wants it any more. */
  release(channel: Channel): void
}

/** Somebody who wants what a channel had before, and then what comes. */
export interface Comeback {
  /** Another object where nobody wanted the channel for a while. */
  channel: Channel
  /** The offset of the last message that it has; null: it only wants what comes. */
  readonly after: number | null
  /** How many messages of the channel were there when it came, for who only wants what comes: it gets those behind. */
  ordinal: number
  /** That of what it has; null: it has nothing. */
  readonly epoch: string | null
  readonly format: Format
  isOver: boolean
  /** It gets no more than this: the offset is not there yet, or is of another epoch. */
  refuse(place: Since): void
  /** What it has is of another epoch than this: it gets what comes. */
  startAnew(place: Since): void
  /** @param isLevel whether all further messages of the channel are those that are read from now on */
  advance(messages: Parcel | null, lost: Lost | null, place: Since, isLevel: boolean): void
  fail(): void
}

/**
 * The comebacks of one channel in this thread, while there are any. Those that come while an answer is on its way are served
 * together by the next one, so one request is under way at most. What is read meanwhile is kept here: it goes behind the answer,
 * without what both have. No message is in between: the answer has all that was read anywhere before the request, and is
 * used when this thread has read as far as that.
 */
export class Recovery {
  readonly #channel: Channel
  readonly #host: RecoveryHost
  #waiting: Comeback[] = []
  /** Read since the first of those came who are here. */
  #live: Message[] = []
  /** Settles when it is known where everybody begins who only wants what comes. */
  #marked: Promise<void> = Promise.resolve()
  /** As far as something can't be had, nobody begins before that. */
  #leastOrdinal = 0
  /** Whether the channel has begun anew since it was asked for. */
  #isOutdated = false

  constructor(channel: Channel, host: RecoveryHost) {
    this.#channel = channel
    this.#host = host
    // In the next turn, so that all who come in this one share the answer.
    setImmediate(() => void this.#run())
  }

  add(comeback: Comeback): void {
    this.#waiting.push(comeback)
    if (comeback.after === null) this.#mark(comeback)
  }

  /** A message that was read meanwhile. */
  take(message: Message): void {
    this.#live.push(message)
  }

  /** What was read last told of messages that can't be had: who only wants what comes begins behind them. */
  passGap(): void {
    this.#leastOrdinal = this.#channel.ordinal
  }

  /** The channel begins anew: what an answer on its way says is of the time before. */
  outdate(): void {
    this.#live = []
    this.#isOutdated = true
  }

  /** What was published before must not come, although it may not have been read here; all that is published from now on must. */
  #mark(comeback: Comeback): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#marked = promise
    this.#host.mark(() => {
      comeback.ordinal = this.#channel.ordinal
      resolve()
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const comebacks = this.#waiting.filter(({ isOver }) => !isOver)
      this.#waiting = []
      if (comebacks.length > 0) await this.#serve(comebacks)
    }
    this.#channel.recovery = null
    this.#host.release(this.#channel)
  }

  async #serve(comebacks: readonly Comeback[]): Promise<void> {
    const after = comebacks.reduce((least, each) => Math.min(least, each.after ?? Infinity), Infinity)
    this.#isOutdated = false
    const answer = await this.#fetch(after)
    if (answer === null) {
      for (const comeback of comebacks) comeback.fail()
      return
    }
    await this.#host.whenRead(answer.position)
    await this.#marked
    if (this.#isOutdated) return void this.#waiting.unshift(...comebacks)
    const past = this.#messagesOf(answer)
    for (let index = 0; index < comebacks.length; index += this.#host.chunk) {
      if (index > 0) await new Promise((resolve) => setImmediate(resolve))
      const portions = new Portions(past, this.#live, answer)
      for (const each of comebacks.slice(index, index + this.#host.chunk)) this.#serveOne(each, portions)
    }
    // The next answer has all that has been read so far.
    const begin = this.#waiting.reduce(
      (least, each) => (each.after === null ? Math.min(least, each.ordinal) : least),
      Infinity
    )
    this.#live = this.#live.filter(({ ordinal }) => ordinal > begin)
  }

  /** @returns null where the server is closing; a broker that is away is waited for */
  async #fetch(after: number): Promise<HistoryAnswer | null> {
    const query = { epoch: null, after, limit: PAGE_SIZE, maxBytes: PAGE_BYTES }
    for (;;) {
      try {
        return await this.#host.history.fetch(this.#channel.name, query)
      } catch (error) {
        if (error instanceof ScherzoError && error.code === 'SCZ_ERR_CLOSED') return null
        await delay(RETRY_DELAY, undefined, { ref: false })
      }
    }
  }

  #serveOne(comeback: Comeback, portions: Portions): void {
    const { after, epoch, format, isOver } = comeback
    const { offset, first, end } = portions
    if (isOver) return
    if (epoch !== null && epoch !== portions.epoch) return comeback.startAnew(portions.place)
    if (after === null) {
      const begin = Math.max(comeback.ordinal, this.#leastOrdinal)
      return comeback.advance(portions.behind(begin, format), null, portions.place, true)
    }
    if (after > offset) return comeback.refuse(portions.place)
    // What it wants begins behind the page: another one has more to catch up with.
    if (after >= end && end < offset) return this.add(comeback)
    const from = Math.max(first, after + 1)
    const lost = after + 1 < first ? { from: after + 1, to: first - 1 } : null
    comeback.advance(portions.from(from, format), lost, portions.place, end === offset)
  }

  #messagesOf({ messages, first, epoch }: HistoryAnswer): Message[] {
    const channel = this.#channel
    const now = performance.now()
    return messages.map(({ data, isText, key, time }, index) => {
      const offset = first + index
      const frame = channel.envelope.frame({ offset, isText, data: Buffer.from(data, 'latin1') })
      return new Message(channel, channel.ordinal, offset, key, frame, now, time, epoch)
    })
  }
}

/** Before the history is asked again after it failed, in milliseconds. */
const RETRY_DELAY = 200

/** As much as is asked for at once; who wants more comes again when it has taken that. */
const PAGE_SIZE = 1000
const PAGE_BYTES = 262_144

/** What the comebacks of one turn get: those that have the same offset and format share its bytes. */
class Portions {
  readonly #past: readonly Message[]
  /** Read here since the first of them came. */
  readonly #read: readonly Message[]
  /** Those of them that are not in the answer. */
  readonly #live: readonly Message[]
  readonly epoch: string
  readonly #parcels = new Map<Format, Map<number, Parcel | null>>()
  /** Of the channel's last message as the answer has it. */
  readonly offset: number
  readonly first: number
  /** The offset of the last message of the page; behind it is only what was read meanwhile, if it is `offset`. */
  readonly end: number

  constructor(past: readonly Message[], read: readonly Message[], { epoch, offset, first }: HistoryAnswer) {
    this.epoch = epoch
    this.#past = past
    this.#read = read
    this.#live = read.filter((message) => message.offset > offset)
    this.offset = offset
    this.first = first
    this.end = past.at(-1)?.offset ?? offset
  }

  /** Behind the channel's last message, what was read meanwhile included. */
  get place(): Since {
    return { epoch: this.epoch, offset: this.#live.at(-1)?.offset ?? this.offset }
  }

  /** What was read behind so many messages. Few come in the moment that this takes, so nobody shares it. */
  behind(ordinal: number, format: Format): Parcel | null {
    const messages = this.#read.filter((message) => message.ordinal > ordinal)
    return messages.length === 0 ? null : new Parcel(messages, format, true)
  }

  from(offset: number, format: Format): Parcel | null {
    let parcels = this.#parcels.get(format)
    if (parcels === undefined) this.#parcels.set(format, (parcels = new Map()))
    const known = parcels.get(offset)
    if (known !== undefined) return known
    const past = this.#past.slice(Math.max(0, offset - this.first))
    const messages = this.end === this.offset ? [...past, ...this.#live] : past
    const parcel = messages.length === 0 ? null : new Parcel(messages, format, true)
    parcels.set(offset, parcel)
    return parcel
  }
}
