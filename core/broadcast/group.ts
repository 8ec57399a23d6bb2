import { Queue } from '../bus/queue.ts'
import type { Channel } from './channel.ts'
import type { Format } from './format.ts'
import type { Message } from './message.ts'
import type { Parcel } from './parcel.ts'
import type { Subscriber } from './subscriber.ts'

/** The members of a channel that get its messages in one format, and what is on its way to them. */
export class Group {
  readonly channel: Channel
  readonly format: Format
  /** Dense: who leaves is replaced by the last one. */
  readonly members: Subscription[] = []
  /** Read, and not fanned out yet. */
  readonly pending: Queue<Message> = new Queue<Message>()
  pendingBytes = 0
  /** What is being fanned out. */
  parcel: Parcel | null = null
  /** The index of the member that gets the parcel next; it goes down. */
  cursor = -1
  /** Whether the fan-out has it on its list, or waits for more. */
  isQueued = false
  /** Runs while a batch waits for more. */
  timer: NodeJS.Timeout | null = null

  constructor(channel: Channel, format: Format) {
    this.channel = channel
    this.format = format
  }

  /** Whether neither a member nor the fan-out needs it any more. */
  get isOver(): boolean {
    return this.members.length === 0 && !this.isQueued
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

export class Subscription {
  readonly group: Group
  readonly subscriber: Subscriber
  /** Its place in the group. */
  index: number
  /** Its place among those of its subscriber. */
  slot: number
  /** The ordinal of the first message that the subscriber has not been given. */
  next: number

  constructor(group: Group, subscriber: Subscriber, slot: number) {
    this.group = group
    this.subscriber = subscriber
    this.index = group.members.length
    this.slot = slot
    this.next = group.channel.ordinal + 1
  }

  get channel(): Channel {
    return this.group.channel
  }

  /** What waits for the batch to be closed, and is not owed from then on. */
  takeWaiting(): readonly Message[] {
    const { group, next } = this
    if (group.timer === null) return []
    this.next = group.channel.ordinal + 1
    return [...group.pending].filter(({ ordinal }) => ordinal >= next)
  }

  /** How many messages it is owed that wait for the fan-out. */
  get owed(): number {
    return this.channel.ordinal + 1 - this.next
  }
}
