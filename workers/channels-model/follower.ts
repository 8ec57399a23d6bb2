import type { Attempt, Ledger } from './ledger.ts'
import type { Policy } from './plan.ts'
import { SkippedOffsets } from './skipped-offsets.ts'

export interface Since {
  readonly epoch: string
  readonly offset: number
}

export interface Range {
  readonly from: number
  readonly to: number
}

/** A subscription that was asked for, or comes with the connection. */
interface Asked {
  /** Of the request; null for what the server subscribes to. */
  readonly id: number | null
  readonly since: Since | null
  /** The channel was there already, and no place was named: everything goes on as it is. */
  readonly isAgain: boolean
  /** The highest offset that was there before. */
  readonly known: number
  /** The `subscribed` notice has come. */
  begunAt: number | null
  isCalledOff: boolean
  lost: Range | null
  /** How many offsets the `lost` notices name. */
  lostCount: number
  /** What the client published first behind the request. */
  own: Attempt | null
}

/** The fields of an answer to `subscribe`. */
export interface Level {
  readonly epoch: string
  readonly offset: number
  readonly count: number
  readonly lost: Range | null
}

/** What is right for one connection to be told of one channel. It gets what is sent and told, in that order, and says what is wrong. */
export class Follower {
  readonly channel: string
  readonly #ledger: Ledger
  readonly #fault: (text: string) => void
  readonly #policy: Policy
  readonly #historySize: number
  readonly #epoch: string
  /** The highest offset that was there before the client connected. */
  readonly #knownBefore: number
  /** Those without an answer, the oldest first. */
  #asked: Asked[] = []
  /** The one whose messages come. */
  #current: Asked | null = null
  /** The offset of the next message, or null while a `lost` notice has to come first. */
  #next: number | null = null
  #skipped = new SkippedOffsets()
  #isWanted = false

  constructor(
    channel: string,
    policy: Policy,
    historySize: number,
    epoch: string,
    ledger: Ledger,
    fault: (text: string) => void
  ) {
    this.channel = channel
    this.#policy = policy
    this.#historySize = historySize
    this.#epoch = epoch
    this.#ledger = ledger
    this.#knownBefore = ledger.known(channel)
    this.#fault = (text) => fault(`${channel}: ${text}`)
  }

  /** Whether the client has the channel, as far as it knows. */
  get isWanted(): boolean {
    return this.#isWanted
  }

  get isWaiting(): boolean {
    return this.#asked.length > 0
  }

  /** What the subscription whose messages come was asked for with. */
  get since(): Since | null {
    return this.#current?.since ?? null
  }

  /** Whether the client has had, or knows that it won't get, everything up to this offset. */
  hasReached(offset: number): boolean {
    return (
      !this.#isWanted ||
      (this.#current !== null && this.#next !== null && this.#skipped.endOf(this.#next) > offset)
    )
  }

  /** @param id null for a channel of the greeting */
  ask(id: number | null, since: Since | null): void {
    const isAgain = this.#isWanted && since === null
    if (!isAgain) this.#callOff()
    this.#isWanted = true
    const known = id === null ? this.#knownBefore : this.#ledger.known(this.channel)
    this.#asked.push({
      id,
      since,
      isAgain,
      known,
      begunAt: null,
      isCalledOff: false,
      lost: null,
      lostCount: 0,
      own: null
    })
  }

  /** The client publishes to the channel. */
  publish(attempt: Attempt): void {
    const asked = this.#asked.findLast(({ isAgain }) => !isAgain)
    if (asked !== undefined) asked.own ??= attempt
  }

  askToEnd(): void {
    this.#callOff()
    this.#isWanted = false
  }

  begin({ epoch, offset }: Since): void {
    const asked = this.#asked.find(({ begunAt, isAgain }) => begunAt === null && !isAgain)
    if (asked === undefined) return this.#fault('a subscription begins that nobody asked for')
    this.#checkEpoch(epoch)
    this.#checkThere('a subscription begins', offset, asked.known)
    asked.begunAt = offset
    this.#current = asked
    this.#skipped = new SkippedOffsets()
    const { since } = asked
    if (since === null) this.#next = offset + 1
    else this.#next = this.#isUnknown(since) ? null : since.offset + 1
    if (asked.id === null) this.#asked = this.#asked.filter((other) => other !== asked)
  }

  message(offset: number): void {
    if (this.#current === null) return this.#fault(`message ${offset} of no subscription`)
    if (this.#next === null) return this.#fault(`message ${offset}, and not what is lost before it`)
    if (offset < this.#next) return this.#fault(`message ${offset} came where ${this.#next} is next`)
    this.#pass(offset, `message ${offset}`)
    this.#next = offset + 1
  }

  skip({ from, to, count }: Range & { readonly count: number }): void {
    const name = `skipped ${from} to ${to}, ${count} in all`
    if (this.#policy === 'close') this.#fault(`${name}, under the policy close`)
    if (this.#current === null || this.#next === null) return this.#fault(`${name} of no subscription`)
    if (
      from < this.#next ||
      to < from ||
      to > this.#ledger.attempted(this.channel) ||
      count < 1 ||
      count > to - from + 1
    )
      this.#fault(`${name}, where ${this.#next} is next`)
    if (this.#policy === 'skip' && (from !== this.#next || count !== to - from + 1))
      this.#fault(`${name}, where ${this.#next} is next, under the policy skip`)
    this.#skipped.add(from, to, count)
  }

  lose({ from, to }: Range, epoch: string | null, error: string | null): void {
    const asked = this.#current
    const name = `lost ${from} to ${to}`
    if (asked === null || asked.since === null) return this.#fault(`${name} of no subscription with since`)
    asked.lost = { from: asked.lost?.from ?? from, to }
    asked.lostCount += to - from + 1
    if (this.#next === null) {
      this.#checkAnew(asked, asked.since, { from, to }, epoch, error)
    } else {
      if (epoch !== null || error !== null) this.#fault(`${name} with epoch ${epoch} and error ${error}`)
      if (from < this.#next) this.#fault(`${name}, where ${this.#next} is next`)
      else this.#pass(from, name)
      if (to < from || to > this.#ledger.attempted(this.channel) - this.#historySize)
        this.#fault(`${name}, and the history has it`)
    }
    this.#next = to + 1
  }

  /** The answer to a `subscribe`. */
  level(id: number, { epoch, offset, count, lost }: Level): void {
    const asked = this.#take(id)
    this.#checkEpoch(epoch)
    this.#checkThere('the answer', offset, asked.known)
    if (asked.isAgain) {
      if (count !== 0 || lost !== null) this.#fault(`the answer has ${count} messages for nothing new`)
      return
    }
    this.#checkOwn(asked)
    const { begunAt, since } = asked
    if (begunAt === null) return this.#fault('an answer before the subscription began')
    if (offset < begunAt) this.#fault(`the answer has ${offset} after a notice with ${begunAt}`)
    if (JSON.stringify(lost) !== JSON.stringify(asked.lost))
      this.#fault(`the answer lost ${JSON.stringify(lost)}, the notices ${JSON.stringify(asked.lost)}`)
    const begin = since === null ? begunAt : this.#isUnknown(since) ? offset : since.offset + asked.lostCount
    if (count !== offset - begin)
      this.#fault(`the answer counts ${count} messages, and it was ${offset - begin}`)
  }

  calledOff(id: number): void {
    const asked = this.#take(id)
    if (!asked.isCalledOff) this.#fault('a subscription was called off that nobody called off')
    if (this.#current === asked) this.#current = null
  }

  /** The answer to an `unsubscribe`. */
  ended(): void {
    this.#current = null
  }

  /** The server has ended the subscription. */
  withdrawn(): void {
    if (this.#current === null) this.#fault('the server ends a subscription that was none')
    this.askToEnd()
    this.#current = null
  }

  /** When everything has come that will. */
  finish(): void {
    for (const { id } of this.#asked) this.#fault(`request ${id} has no answer`)
    const current = this.#current
    if (!this.#isWanted) {
      if (current !== null) this.#fault('the subscription goes on')
      return
    }
    if (current === null || this.#next === null) return this.#fault('the subscription has not begun')
    this.#checkOwn(current)
    this.#pass(this.#ledger.known(this.channel) + 1, 'the end')
    if (this.#skipped.rest > 0)
      this.#fault(`${this.#skipped.rest} more were told as skipped than were missing`)
  }

  #callOff(): void {
    for (const asked of this.#asked) asked.isCalledOff = true
  }

  #take(id: number): Asked {
    const asked = this.#asked.find((each) => each.id === id)
    this.#asked = this.#asked.filter((each) => each !== asked)
    if (asked === undefined) throw new Error(`Nobody asked for ${id}`)
    return asked
  }

  /** What lies between must have been told as skipped. */
  #pass(to: number, what: string): void {
    const missing = this.#skipped.pass(this.#next!, to)
    if (missing !== null) this.#fault(`${what} came where ${missing} is next, and was not told as skipped`)
  }

  /** Requests take effect in their order: without a place the subscription begins before what was published behind it. */
  #checkOwn({ since, begunAt, own }: Asked): void {
    const offset = own?.offset ?? Infinity
    if (since === null && begunAt !== null && begunAt >= offset)
      this.#fault(`a subscription begins at ${begunAt}, and ${offset} was published behind it`)
  }

  #isUnknown({ epoch, offset }: Since): boolean {
    return epoch !== this.#epoch || offset > this.#ledger.attempted(this.channel)
  }

  #checkAnew(
    asked: Asked,
    since: Since,
    { from, to }: Range,
    epoch: string | null,
    error: string | null
  ): void {
    const isOther = since.epoch !== this.#epoch
    if (isOther && (epoch !== this.#epoch || error !== null))
      this.#fault(`lost has the epoch ${epoch} and error ${error}`)
    if (!isOther && (epoch !== null || error !== 'SCZ_ERR_HUB_OFFSET'))
      this.#fault(`lost has the error ${error}`)
    if (from !== 1) this.#fault(`lost begins at ${from}`)
    this.#checkThere('lost ends', to, Math.max(asked.known, asked.begunAt ?? 0))
  }

  #checkEpoch(epoch: string): void {
    if (epoch !== this.#epoch) this.#fault(`the epoch is ${epoch}`)
  }

  /** The offset is neither behind what was known when it was asked for, nor ahead of what there can be. */
  #checkThere(what: string, offset: number, known: number): void {
    const attempted = this.#ledger.attempted(this.channel)
    if (offset < known || offset > attempted)
      this.#fault(`${what} at ${offset}, which should be ${known} to ${attempted}`)
  }
}
