import { ScherzoError } from '../errors.ts'
import type { Backlog } from './backlog.ts'
import { Backlogs } from './backlogs.ts'
import { framesApart } from './batches.ts'
import type { Channel } from './channel.ts'
import { BROADCAST, isPresenceName, presenceNameOf } from './data.ts'
import { noticeEvent } from './event-form.ts'
import type { Format } from './format.ts'
import type { Subscription } from './group.ts'
import type { Message } from './message.ts'
import type { Parcel } from './parcel.ts'
import type { Comeback } from './recovery.ts'
import { Returning, type Returner } from './returning.ts'
import { type Recovered, type Since, checkSince } from './since.ts'
import type { Closable, Membership, Outbox, SlowPolicy } from './subscriptions.ts'
import type { Totals } from './totals.ts'
import { Watching } from './watching.ts'
import { wrap } from './wrapping.ts'

/** What a member needs of its hub. */
export interface Host {
  readonly totals: Totals
  /** Members for whom something is held back. */
  readonly stalled: StalledMembers
  /** @throws SCZ_ERR_HUB_CHANNEL */
  channel(name: string): Channel
  /**
   * The one that tells who is in this channel.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE
   */
  presenceChannel(name: string): Channel
  /** Settles when the channel's messages reach this thread; null: they do. */
  live(channel: string): Promise<void> | null
  /** Lets it catch up with its channel. */
  recover(comeback: Comeback): void
  /** Forgets the channel if nobody wants it any more. */
  release(channel: Channel): void
}

export interface StalledMembers {
  add(member: Subscriber): void
  delete(member: Subscriber): void
}

/** A connection among the members of a hub. What it takes only while it is stalled is made only then. */
export class Subscriber implements Membership, Returner {
  readonly #host: Host
  readonly #outbox: Outbox
  readonly #policy: SlowPolicy
  readonly #connection: Closable
  readonly format: Format
  #subscriptions: Subscription[] = []
  /** By channel, once there are so many that looking through them takes longer than looking up. */
  #byChannel: Map<string, Subscription> | null = null
  #held: Backlogs | null = null
  /** Subscriptions that are not level with the live stream yet, while there are any. */
  #returning: Map<string, Comeback> | null = null
  /** Those of them that wait until the client has taken what it was given, while there are any. */
  #takers: Comeback[] | null = null
  /** Channels of which it is told who is there, or about to be. */
  #watched = 0
  #isDraining = false
  #hasLeft = false
  delivered = 0
  /** As it has been told. */
  skipped = 0

  constructor(host: Host, outbox: Outbox, policy: SlowPolicy, connection: Closable, format: Format) {
    this.#host = host
    this.#outbox = outbox
    this.#policy = policy
    this.#connection = connection
    this.format = format
    host.totals.members++
  }

  subscribe(channel: string): Promise<void> | undefined
  subscribe(channel: string, since: Since | null): Promise<Recovered | null>
  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> | undefined {
    if (this.#hasLeft || this.has(channel))
      return since === undefined ? (this.#host.live(channel) ?? undefined) : Promise.resolve(null)
    if (since !== undefined) return this.#return(channel, since)
    this.#add(this.#host.channel(channel))
    this.#host.totals.subscriptions++
    return this.#host.live(channel) ?? undefined
  }

  /** For the hub: what is broadcast, too. */
  join(channel: Channel): void {
    this.#add(channel)
  }

  get size(): number {
    // What is broadcast is no channel of its own choice.
    return this.#subscriptions.length - 1 + (this.#returning?.size ?? 0) - this.#watched
  }

  has(channel: string): boolean {
    return channel !== BROADCAST && !isPresenceName(channel) && this.#has(channel)
  }

  unsubscribe(channel: string): boolean {
    return channel !== BROADCAST && !isPresenceName(channel) && this.#drop(channel)
  }

  watchPresence(channel: string): void {
    if (this.#hasLeft || this.#has(presenceNameOf(channel))) return
    this.#watch(this.#host.presenceChannel(channel))
    this.#watched++
  }

  unwatchPresence(channel: string): void {
    if (this.#drop(presenceNameOf(channel))) this.#watched--
  }

  flush(): void {
    if (this.#held !== null || this.#outbox.isStalled) return
    for (const subscription of this.#subscriptions) {
      const messages = subscription.takeWaiting()
      if (messages.length > 0) this.#sendApart(messages)
    }
  }

  leave(): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    if (this.#returning !== null) for (const channel of this.#returning.keys()) this.#giveUp(channel)
    const { totals } = this.#host
    totals.members--
    totals.subscriptions -= this.#subscriptions.length - 1
    for (const subscription of this.#subscriptions) this.#end(subscription)
    this.#subscriptions.length = 0
    this.#byChannel = null
    if (this.#held === null) return
    totals.abandoned += this.#held.clear()
    this.#endHolding()
  }

  /** A notice. There are few, and they are short. */
  tell(frame: Buffer, channel: Channel, place: Since | null): void {
    const { events } = this.format
    if (place !== null) this.#outbox.onPlace?.(channel.name, place)
    this.#outbox.send(events === null ? wrap(frame, this.format, null) : noticeEvent(frame, events, place))
  }

  give(messages: Parcel): boolean {
    this.#host.totals.owed += messages.messages.length
    this.deliver(messages, messages.first)
    return !this.#hasLeft
  }

  comeAgain(returning: Comeback): void {
    this.#outbox.flush()
    if (this.#held === null && !this.#outbox.isStalled) return this.#host.recover(returning)
    this.#takers ??= []
    this.#takers.push(returning)
    this.#held ??= this.#beginHolding()
  }

  follow({ channel }: Comeback): void {
    this.#forgetReturning(channel.name)
    this.#add(channel)
    this.#host.totals.subscriptions++
  }

  /** @param next the ordinal of the first message that it has not been given */
  deliver(parcel: Parcel, next: number): void {
    if (next > parcel.first)
      return this.#deliverApart(parcel.messages.filter(({ ordinal }) => ordinal >= next))
    if (this.#outbox.onPlace !== null) return this.#deliverApart(parcel.messages)
    if (this.#held !== null || this.#outbox.isStalled) return this.#holdBack(parcel.messages)
    const { bytes, messages } = parcel
    this.#outbox.send(bytes)
    this.#count(messages[0]!.channel, messages.length, bytes.length)
  }

  /** When the oldest message that is held back for it was read, or null. */
  get heldSince(): number | null {
    return this.#held?.since ?? null
  }

  /** Applies the policy to what has waited too long. */
  checkAge(now: number): void {
    for (const backlog of this.#held?.all ?? []) {
      const { policy, maxAge } = backlog.policy
      for (let { first } = backlog; first !== null && now - first.readAt > maxAge; { first } = backlog) {
        if (policy === 'close') return this.#closeSlow(new ScherzoError('SCZ_ERR_HUB_SLOW_AGE', [maxAge]))
        backlog.drop()
      }
    }
  }

  #return(name: string, since: Since | null): Promise<Recovered | null> {
    if (since !== null) checkSince(since)
    const channel = this.#host.channel(name)
    const { promise, resolve } = Promise.withResolvers<Recovered | null>()
    const returning = new Returning(channel, this, since, resolve)
    this.#returning ??= new Map()
    this.#returning.set(name, returning)
    this.#host.recover(returning)
    return promise
  }

  #watch(channel: Channel): void {
    const watching = new Watching(channel, this)
    this.#returning ??= new Map()
    this.#returning.set(channel.name, watching)
    this.#host.recover(watching)
  }

  /** @returns whether it had it, or was about to */
  #drop(name: string): boolean {
    const wasReturning = this.#giveUp(name)
    const subscription = this.#find(name)
    if (subscription === undefined) return wasReturning
    const { totals } = this.#host
    this.#subscriptions[subscription.slot] = this.#subscriptions.at(-1)!
    this.#subscriptions[subscription.slot]!.slot = subscription.slot
    this.#subscriptions.pop()
    this.#byChannel?.delete(name)
    totals.subscriptions--
    totals.abandoned += this.#held?.forget(subscription.channel) ?? 0
    this.#end(subscription)
    return true
  }

  /** What it was given and has not taken goes as well. */
  #giveUp(channel: string): boolean {
    const returning = this.#returning?.get(channel)
    if (returning === undefined) return false
    this.#forgetReturning(channel)
    this.#host.totals.abandoned += this.#held?.forget(returning.channel) ?? 0
    returning.fail()
    return true
  }

  #forgetReturning(channel: string): void {
    this.#returning?.delete(channel)
    if (this.#returning?.size === 0) this.#returning = null
  }

  /** One by one: it subscribed when some messages of a parcel had been read already, or is told its place with each. */
  #deliverApart(messages: readonly Message[]): void {
    if (this.#held !== null || this.#outbox.isStalled) return this.#holdBack(messages)
    this.#sendApart(messages)
  }

  #sendApart(messages: readonly Message[]): void {
    for (const { frame, channel, count, place } of framesApart(messages, this.format)) {
      if (!channel.isBroadcast) this.#outbox.onPlace?.(channel.name, place)
      this.#outbox.send(frame)
      this.#count(channel, count, frame.length)
    }
  }

  #holdBack(messages: readonly Message[]): void {
    if (messages.length === 0) return
    this.#held ??= this.#beginHolding()
    const backlog = this.#held.hold(messages)
    const { policy, maxBytes } = backlog.policy
    if (backlog.bytes <= maxBytes || backlog.size <= 1) return
    if (policy === 'close') return this.#closeSlow(new ScherzoError('SCZ_ERR_HUB_SLOW_BYTES', [maxBytes]))
    while (backlog.bytes > maxBytes && backlog.size > 1) backlog.drop()
  }

  #beginHolding(): Backlogs {
    this.#outbox.onDrain = () => this.#drain()
    this.#host.stalled.add(this)
    return new Backlogs(this.#host.totals, this.#policy)
  }

  #endHolding(): void {
    this.#held = null
    this.#outbox.onDrain = null
    this.#host.stalled.delete(this)
    const takers = this.#takers
    if (takers === null) return
    this.#takers = null
    for (const returning of takers) if (!returning.isOver) this.#host.recover(returning)
  }

  /** In slices, so that what the client still can't take stays subject to the policy. */
  #drain(): void {
    // A flush may tell at once that the socket has drained.
    if (this.#isDraining) return
    this.#isDraining = true
    while (this.#held !== null && !this.#outbox.isStalled) {
      const backlog = this.#held.next()
      if (backlog !== null) this.#sendSlice(backlog)
      if (this.#held.isEmpty) this.#endHolding()
      else this.#outbox.flush()
    }
    this.#isDraining = false
  }

  #sendSlice(backlog: Backlog): void {
    for (const { channel, frame, count } of backlog.takeNotices()) {
      // What comes behind it may be from before the last one that it tells of.
      if (frame !== null) this.tell(frame, channel, null)
      else this.#watchAnew(channel)
      this.skipped += count
      this.#host.totals.skipped += count
      channel.traffic.skipped += count
    }
    const slice: Message[] = []
    for (let bytes = 0; bytes < SLICE_BYTES;) {
      const message = backlog.shift()
      if (message === null) break
      slice.push(message)
      bytes += message.frame.length
    }
    this.#sendApart(slice)
  }

  /** Changes without those before them would tell it something wrong. */
  #watchAnew(channel: Channel): void {
    this.#drop(channel.name)
    this.#watch(channel)
  }

  #count({ traffic }: Channel, messages: number, bytes: number): void {
    this.delivered += messages
    const { totals } = this.#host
    totals.delivered += messages
    totals.bytes += bytes
    traffic.delivered += messages
    traffic.bytes += bytes
  }

  #closeSlow({ closeCode, message }: ScherzoError): void {
    this.#host.totals.slowClosed++
    this.leave()
    this.#connection.close(closeCode!, message)
  }

  #add(channel: Channel): void {
    const subscription = channel.add(this, this.format, this.#subscriptions.length)
    // What grows by itself has room for 17 at once, and most have two.
    if (this.#subscriptions.length < FEW) this.#subscriptions = [...this.#subscriptions, subscription]
    else this.#subscriptions.push(subscription)
    if (this.#byChannel !== null) this.#byChannel.set(channel.name, subscription)
    else if (this.#subscriptions.length > FEW) {
      this.#byChannel = new Map(this.#subscriptions.map((each) => [each.channel.name, each]))
    }
  }

  #has(name: string): boolean {
    return this.#find(name) !== undefined || this.#returning?.has(name) === true
  }

  #find(channel: string): Subscription | undefined {
    if (this.#byChannel !== null) return this.#byChannel.get(channel)
    return this.#subscriptions.find((subscription) => subscription.channel.name === channel)
  }

  #end(subscription: Subscription): void {
    const { channel } = subscription
    this.#host.totals.abandoned += subscription.owed
    channel.remove(subscription)
    this.#host.release(channel)
  }
}

/** Up to here an array is looked through: a map for every member would take more memory than all the rest of it. */
const FEW = 16

/** As much as is handed to the socket before asking whether it took it. */
const SLICE_BYTES = 65_536
