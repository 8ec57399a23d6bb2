import { BROADCAST, isPresenceName, watchedChannelOf } from './data.ts'
import { Envelope } from './envelope.ts'
import type { Format } from './format.ts'
import { Group, type Subscription } from './group.ts'
import { Listeners } from './listeners.ts'
import { PresenceEnvelope } from './presence-envelope.ts'
import type { Recovery } from './recovery.ts'
import type { Subscriber } from './subscriber.ts'
import type { SlowPolicy } from './subscriptions.ts'
import { type Totals, Traffic } from './totals.ts'

/** A channel that somebody in this thread wants. */
export class Channel {
  readonly name: string
  /** Whether it tells who is in another channel. */
  readonly isPresence: boolean
  readonly envelope: Envelope
  /** Of the hub. */
  readonly totals: Totals
  readonly traffic: Traffic = new Traffic()
  /** What holds for members that do not keep up with it, in place of their own policy. Stays while there are members. */
  slow: SlowPolicy | null
  /** One for each format that a member has. */
  readonly groups: Group[] = []
  /** How many members all groups have. */
  size = 0
  readonly listeners: Listeners = new Listeners()
  /** Those who come back to it, if there are any. */
  recovery: Recovery | null = null
  /** How many messages have been read. */
  ordinal = 0
  /** The offset of the last one, or 0. */
  lastOffset = 0

  constructor(name: string, slow: SlowPolicy | null, totals: Totals) {
    this.name = name
    this.isPresence = isPresenceName(name)
    this.envelope = this.isPresence ? new PresenceEnvelope(watchedChannelOf(name)) : new Envelope(name)
    this.slow = slow
    this.totals = totals
  }

  get isBroadcast(): boolean {
    return this.name === BROADCAST
  }

  get isWanted(): boolean {
    return this.listeners.size > 0 || this.hasMembers
  }

  /** Or somebody who comes back, or who leaves it while it is being fanned out. */
  get hasMembers(): boolean {
    return this.groups.length > 0 || this.recovery !== null
  }

  add(subscriber: Subscriber, format: Format, slot: number): Subscription {
    this.size++
    return this.#groupOf(format).add(subscriber, slot)
  }

  remove(subscription: Subscription): void {
    const { group } = subscription
    this.size--
    group.remove(subscription)
    this.forget(group)
  }

  /** Does without the group if nobody needs it any more. */
  forget(group: Group): void {
    if (group.isOver) this.groups.splice(this.groups.indexOf(group), 1)
  }

  #groupOf(format: Format): Group {
    for (const group of this.groups) if (group.format === format) return group
    const group = new Group(this, format)
    this.groups.push(group)
    return group
  }
}
