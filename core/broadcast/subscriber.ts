import { ScherzoError } from '../errors.ts'
import { Backlog } from './backlog.ts'
import type { Channel, Message, Parcel, Subscription } from './channel.ts'
import { BROADCAST } from './data.ts'
import { Returning, type Returner } from './returning.ts'
import { type Recovered, type Since, checkSince } from './since.ts'
import type { Membership, Outbox, SlowPolicy } from './subscriptions.ts'
import type { Totals } from './totals.ts'

/** What a member needs of its hub. */
export interface Host {
  readonly totals: Totals
  /** Members for whom something is held back. */
  readonly stalled: StalledMembers
  /** @throws SCZ_ERR_HUB_CHANNEL */
  channel(name: string): Channel
  /** Settles when the channel's messages reach this thread; null: they do. */
  live(channel: string): Promise<void> | null
  /** Lets it catch up with its channel. */
  recover(returning: Returning): void
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
  readonly #close: (code: number, reason: string) => void
  readonly #subscriptions: Subscription[] = []
  /** By channel, once there are so many that looking through them takes longer than looking up. */
  #byChannel: Map<string, Subscription> | null = null
  #backlog: Backlog | null = null
  /** Subscriptions that are not level with the live stream yet, while there are any. */
  #returning: Map<string, Returning> | null = null
  /** Those of them that wait until the client has taken what it was given. */
  #takers: Returning[] = []
  #isDraining = false
  #hasLeft = false
  delivered = 0
  /** As it has been told. */
  skipped = 0

  constructor(host: Host, outbox: Outbox, policy: SlowPolicy, close: (code: number, reason: string) => void) {
    this.#host = host
    this.#outbox = outbox
    this.#policy = policy
    this.#close = close
    host.totals.members++
  }

  subscribe(channel: string): Promise<void> | undefined
  subscribe(channel: string, since: Since | null): Promise<Recovered | null>
  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> | undefined {
    const isKnown =
      channel !== BROADCAST && (this.#find(channel) !== undefined || this.#returning?.has(channel) === true)
    if (this.#hasLeft || isKnown)
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

  unsubscribe(channel: string): void {
    this.#giveUp(channel)
    const subscription = this.#find(channel)
    if (subscription === undefined || subscription.channel.isBroadcast) return
    const { totals } = this.#host
    this.#subscriptions[subscription.slot] = this.#subscriptions.at(-1)!
    this.#subscriptions[subscription.slot]!.slot = subscription.slot
    this.#subscriptions.pop()
    this.#byChannel?.delete(channel)
    totals.subscriptions--
    totals.abandoned += this.#backlog?.forget(subscription.channel) ?? 0
    this.#end(subscription)
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
    if (this.#backlog === null) return
    totals.abandoned += this.#backlog.clear()
    this.#endBacklog()
  }

  send(frame: Buffer): void {
    this.#outbox.send(frame)
  }

  give(messages: Parcel): boolean {
    this.#host.totals.owed += messages.messages.length
    this.deliver(messages, messages.first)
    return !this.#hasLeft
  }

  comeAgain(returning: Returning): void {
    this.#outbox.flush()
    if (this.#backlog === null && !this.#outbox.isStalled) return this.#host.recover(returning)
    this.#takers.push(returning)
    this.#backlog ??= this.#beginBacklog()
  }

  follow({ channel }: Returning): void {
    this.#returning?.delete(channel.name)
    this.#add(channel)
    this.#host.totals.subscriptions++
  }

  /** @param next the ordinal of the first message that it has not been given */
  deliver(parcel: Parcel, next: number): void {
    if (next > parcel.first) return this.#deliverFrom(parcel, next)
    if (this.#backlog !== null || this.#outbox.isStalled) return this.#holdBack(parcel.messages)
    this.#outbox.send(parcel.bytes)
    this.#count(parcel.messages.length)
  }

  /** Applies the policy to what has waited too long. */
  checkAge(now: number): void {
    const backlog = this.#backlog
    const { policy, maxAge } = this.#policy
    for (let first = backlog?.first; first && now - first.readAt > maxAge; first = backlog!.first) {
      if (policy === 'close') return this.#closeSlow(new ScherzoError('SCZ_ERR_HUB_SLOW_AGE', [maxAge]))
      backlog!.drop()
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

  /** What it was given and has not taken goes as well. */
  #giveUp(channel: string): void {
    const returning = this.#returning?.get(channel)
    if (returning === undefined) return
    this.#returning!.delete(channel)
    this.#host.totals.abandoned += this.#backlog?.forget(returning.channel) ?? 0
    returning.fail()
  }

  /** It subscribed when some messages of the parcel had been read already. */
  #deliverFrom({ messages }: Parcel, next: number): void {
    const rest = messages.filter(({ ordinal }) => ordinal >= next)
    if (this.#backlog !== null || this.#outbox.isStalled) return this.#holdBack(rest)
    for (const { frame } of rest) this.#outbox.send(frame)
    this.#count(rest.length)
  }

  #holdBack(messages: readonly Message[]): void {
    if (messages.length === 0) return
    const backlog = (this.#backlog ??= this.#beginBacklog())
    for (const message of messages) backlog.push(message)
    const { policy, maxBytes } = this.#policy
    if (backlog.bytes <= maxBytes || backlog.size <= 1) return
    if (policy === 'close') return this.#closeSlow(new ScherzoError('SCZ_ERR_HUB_SLOW_BYTES', [maxBytes]))
    while (backlog.bytes > maxBytes && backlog.size > 1) backlog.drop()
  }

  #beginBacklog(): Backlog {
    this.#outbox.onDrain = () => this.#drain()
    this.#host.stalled.add(this)
    return new Backlog(this.#host.totals, this.#policy.policy === 'latest')
  }

  #endBacklog(): void {
    this.#backlog = null
    this.#outbox.onDrain = null
    this.#host.stalled.delete(this)
    const takers = this.#takers
    if (takers.length === 0) return
    this.#takers = []
    for (const returning of takers) if (!returning.isOver) this.#host.recover(returning)
  }

  /** In slices, so that what the client still can't take stays subject to the policy. */
  #drain(): void {
    // A flush may tell at once that the socket has drained.
    if (this.#isDraining) return
    this.#isDraining = true
    while (this.#backlog !== null && !this.#outbox.isStalled) {
      this.#sendSlice(this.#backlog)
      if (this.#backlog.size === 0) this.#endBacklog()
      else this.#outbox.flush()
    }
    this.#isDraining = false
  }

  #sendSlice(backlog: Backlog): void {
    for (const { frame, count } of backlog.takeNotices()) {
      this.#outbox.send(frame)
      this.skipped += count
      this.#host.totals.skipped += count
    }
    for (let bytes = 0; bytes < SLICE_BYTES;) {
      const message = backlog.shift()
      if (message === null) return
      this.#outbox.send(message.frame)
      this.#count(1)
      bytes += message.frame.length
    }
  }

  #count(messages: number): void {
    this.delivered += messages
    this.#host.totals.delivered += messages
  }

  #closeSlow({ closeCode, message }: ScherzoError): void {
    this.#host.totals.slowClosed++
    this.leave()
    this.#close(closeCode!, message)
  }

  #add(channel: Channel): void {
    const subscription = channel.add(this, this.#subscriptions.length)
    this.#subscriptions.push(subscription)
    if (this.#byChannel !== null) this.#byChannel.set(channel.name, subscription)
    else if (this.#subscriptions.length > FEW) {
      this.#byChannel = new Map(this.#subscriptions.map((each) => [each.channel.name, each]))
    }
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
