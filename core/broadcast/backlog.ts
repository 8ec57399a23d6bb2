import { Queue } from '../bus/queue.ts'
import type { Channel } from './channel.ts'
import type { Message } from './message.ts'
import type { SlowPolicy } from './subscriptions.ts'
import type { Totals } from './totals.ts'

/** What is held back for one stalled member under one policy: references to messages that all members share. */
export class Backlog {
  readonly policy: SlowPolicy
  readonly #totals: Totals
  #messages = new Queue<Message>()
  /** With conflation, the message that stands for each key; the others that are still in the queue count as gone. */
  readonly #latest: Map<string, Message> | null
  readonly #missed = new Map<Channel, Missed>()
  size = 0
  bytes = 0

  constructor(totals: Totals, policy: SlowPolicy) {
    this.policy = policy
    this.#totals = totals
    this.#latest = policy.policy === 'latest' ? new Map() : null
  }

  /** Whether there is neither a message nor a notice. */
  get isEmpty(): boolean {
    return this.size === 0 && this.#missed.size === 0
  }

  /** The oldest message, or null. */
  get first(): Message | null {
    this.#forgetReplaced()
    return this.#messages.first ?? null
  }

  push(message: Message): void {
    this.#messages.push(message)
    this.#count(message, 1)
    if (this.#latest === null) return
    const { conflationKey } = message
    const replaced = this.#latest.get(conflationKey)
    this.#latest.set(conflationKey, message)
    if (replaced === undefined) return
    this.#miss(replaced)
    if (this.#messages.size > SLACK + 2 * this.size) this.#compact()
  }

  /** Takes the oldest message out, to be sent. */
  shift(): Message | null {
    const message = this.#take()
    if (message !== null) this.#totals.held--
    return message
  }

  /** Drops the oldest message; the member is to be told. */
  drop(): void {
    const message = this.#take()
    if (message === null) return
    // It was taken out of the figures of what is held, and is put among what was missed.
    this.#addMissed(message)
  }

  /** What the member missed, with frames that tell it so; null where the whole state has to be told. */
  *takeNotices(): Generator<{
    readonly channel: Channel
    readonly frame: Buffer | null
    readonly count: number
  }> {
    for (const [channel, { from, to, count }] of this.#missed) {
      this.#missed.delete(channel)
      this.#totals.held -= count
      const frame = channel.isPresence ? null : channel.envelope.skippedFrame(from, to, count)
      yield { channel, frame, count }
    }
  }

  /** The member gets nothing more of the channel. @returns how many messages it had held back or missed there */
  forget(channel: Channel): number {
    let count = this.#missed.get(channel)?.count ?? 0
    this.#totals.held -= count
    this.#missed.delete(channel)
    const kept = new Queue<Message>()
    for (const message of this.#live()) {
      if (message.channel !== channel) kept.push(message)
      else {
        this.#count(message, -1)
        this.#latest?.delete(message.conflationKey)
        count++
      }
    }
    this.#messages = kept
    return count
  }

  /** @returns how many messages it had held back or missed */
  clear(): number {
    let count = this.size
    for (const { count: missed } of this.#missed.values()) count += missed
    this.#totals.held -= count
    this.#totals.heldBytes -= this.bytes
    this.size = 0
    this.bytes = 0
    this.#messages.clear()
    this.#latest?.clear()
    this.#missed.clear()
    return count
  }

  /** Leaves the message in `totals.held`: it is sent or missed next. */
  #take(): Message | null {
    this.#forgetReplaced()
    const message = this.#messages.shift()
    if (message === undefined) return null
    this.#latest?.delete(message.conflationKey)
    this.#totals.held++
    this.#count(message, -1)
    return message
  }

  /** A later message stands in for this one. */
  #miss(message: Message): void {
    this.#totals.held++
    this.#count(message, -1)
    this.#addMissed(message)
  }

  #addMissed({ channel, offset }: Message): void {
    const missed = this.#missed.get(channel)
    if (missed === undefined) {
      this.#missed.set(channel, { from: offset, to: offset, count: 1 })
    } else {
      missed.from = Math.min(missed.from, offset)
      missed.to = Math.max(missed.to, offset)
      missed.count++
    }
  }

  #count({ frame }: Message, by: 1 | -1): void {
    this.size += by
    this.bytes += by * frame.length
    this.#totals.held += by
    this.#totals.heldBytes += by * frame.length
  }

  #forgetReplaced(): void {
    if (this.#latest === null) return
    for (let first = this.#messages.first; first !== undefined; first = this.#messages.first) {
      if (this.#latest.get(first.conflationKey) === first) return
      this.#messages.shift()
    }
  }

  /** What was replaced must not stay in memory for as long as the client takes nothing. */
  #compact(): void {
    const kept = new Queue<Message>()
    for (const message of this.#live()) kept.push(message)
    this.#messages = kept
  }

  *#live(): Generator<Message> {
    for (const message of this.#messages) {
      if (this.#latest === null || this.#latest.get(message.conflationKey) === message) yield message
    }
  }
}

export interface Notice {
  readonly frame: Buffer
  readonly channel: Channel
  /** How many messages it is about. */
  readonly count: number
}

interface Missed {
  from: number
  to: number
  count: number
}

/** Replaced messages that may lie in the queue before it is worth a copy. */
const SLACK = 64
