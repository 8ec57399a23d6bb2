import { Queue } from '../bus/queue.ts'
import { BROADCAST, isPresenceName, watchedChannelOf } from './data.ts'
import { Envelope } from './envelope.ts'
import { Listeners } from './listeners.ts'
import { PresenceEnvelope } from './presence-envelope.ts'
import type { Recovery } from './recovery.ts'
import type { Subscriber } from './subscriber.ts'
import type { SlowPolicy } from './subscriptions.ts'

/** A message in the form in which clients get it. One object for all of them. */
export class Message {
  readonly channel: Channel
  /** Its place among those that this thread has read in the channel. */
  readonly ordinal: number
  readonly offset: number
  readonly key: string | null
  readonly frame: Buffer
  /** When it was read, by performance.now(). */
  readonly readAt: number
  #conflationKey: string | null = null

  constructor(
    channel: Channel,
    ordinal: number,
    offset: number,
    key: string | null,
    frame: Buffer,
    readAt: number
  ) {
    this.channel = channel
    this.ordinal = ordinal
    this.offset = offset
    this.key = key
    this.frame = frame
    this.readAt = readAt
  }

  /** A later message with the same one may stand in for this one. A channel's name alone can't be mistaken for a key. */
  get conflationKey(): string {
    this.#conflationKey ??= this.key === null ? this.channel.name : `${this.key}\0${this.channel.name}`
    return this.#conflationKey
  }
}

/** Consecutive messages of one channel, to be written at once. */
export class Parcel {
  readonly messages: readonly Message[]
  #bytes: Buffer | null = null

  /** @param messages at least one */
  constructor(messages: readonly Message[]) {
    this.messages = messages
  }

  get first(): number {
    return this.messages[0]!.ordinal
  }

  get last(): number {
    return this.messages.at(-1)!.ordinal
  }

  /** All frames in one: joined when somebody needs them, and once. */
  get bytes(): Buffer {
    if (this.#bytes === null) {
      const [only, ...others] = this.messages
      this.#bytes = others.length === 0 ? only!.frame : Buffer.concat(this.messages.map(({ frame }) => frame))
    }
    return this.#bytes
  }
}

export class Subscription {
  readonly channel: Channel
  readonly subscriber: Subscriber
  /** Its place in the channel. */
  index: number
  /** Its place among those of its subscriber. */
  slot: number
  /** The ordinal of the first message that the subscriber has not been given. */
  next: number

  constructor(channel: Channel, subscriber: Subscriber, slot: number) {
    this.channel = channel
    this.subscriber = subscriber
    this.index = channel.members.length
    this.slot = slot
    this.next = channel.ordinal + 1
  }

  /** How many messages it is owed that wait for the fan-out. */
  get owed(): number {
    return this.channel.ordinal + 1 - this.next
  }
}

/** A channel that somebody in this thread wants. */
export class Channel {
  readonly name: string
  /** Whether it tells who is in another channel. */
  readonly isPresence: boolean
  readonly envelope: Envelope
  /** What holds for members that do not keep up with it, in place of their own policy. Stays while there are members. */
  slow: SlowPolicy | null
  /** Dense: who leaves is replaced by the last one. */
  readonly members: Subscription[] = []
  readonly listeners: Listeners = new Listeners()
  /** Read, and not fanned out yet. */
  readonly pending: Queue<Message> = new Queue<Message>()
  /** What is being fanned out. */
  parcel: Parcel | null = null
  /** The index of the member that gets the parcel next; it goes down. */
  cursor = -1
  /** Whether the fan-out has it on its list. */
  isQueued = false
  /** Those who come back to it, if there are any. */
  recovery: Recovery | null = null
  /** How many messages have been read. */
  ordinal = 0
  /** The offset of the last one, or 0. */
  lastOffset = 0

  constructor(name: string, slow: SlowPolicy | null) {
    this.name = name
    this.isPresence = isPresenceName(name)
    this.envelope = this.isPresence ? new PresenceEnvelope(watchedChannelOf(name)) : new Envelope(name)
    this.slow = slow
  }

  get isBroadcast(): boolean {
    return this.name === BROADCAST
  }

  get isWanted(): boolean {
    return this.listeners.size > 0 || this.hasMembers
  }

  /** Or somebody who comes back, or who leaves it while it is being fanned out. */
  get hasMembers(): boolean {
    return this.members.length > 0 || this.isQueued || this.recovery !== null
  }

  add(subscriber: Subscriber, slot: number): Subscription {
    const subscription = new Subscription(this, subscriber, slot)
    this.members.push(subscription)
    return subscription
  }

  /**
   * The cursor goes down, so the member that moves into the gap is either one that the fan-out still comes to, before and
   * after, or one that has the parcel, which its `next` tells.
   */
  remove({ index }: Subscription): void {
    const last = this.members.pop()!
    if (last.index === index) return
    last.index = index
    this.members[index] = last
  }
}
