import { Channel } from './channel.ts'
import type { Position } from './contract.ts'
import { ClientError, ownError } from './errors.ts'
import type { ClientEvents } from './events.ts'
import type { Notice } from './notices.ts'
import type { SubscribeOptions } from './options.ts'
import { type Answered, PASSING } from './requests.ts'
import { type MessageListener, Subscriber, type SubscriptionHost } from './subscription.ts'

/** What the channels need of their client. */
export interface ChannelHost {
  /** Whether the server takes requests. */
  isOpen(): boolean
  /** Asks on the connection that there is; when it ends before the answer, that is all. */
  askNow(fields: object, answered: Answered): void
  tell<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void
  /** The connection is of no use. */
  fail(error: ClientError): void
}

/** The channels of a client: those it is subscribed to, and asks for again on each new connection. */
export class ChannelSet implements SubscriptionHost {
  readonly #host: ChannelHost
  readonly #channels = new Map<string, Channel>()

  constructor(host: ChannelHost) {
    this.#host = host
  }

  /** @throws SCZ_ERR_CLIENT_SINCE */
  join(name: string, listener: MessageListener | undefined, options: SubscribeOptions): Subscriber {
    const { since, presence } = options
    let channel = this.#channels.get(name)
    // What comes to the route's own subscription nobody has been given: the first one may begin anywhere.
    if (since !== undefined && channel !== undefined && channel.subscribers.size > 0)
      throw ownError('SCZ_ERR_CLIENT_SINCE')
    if (channel === undefined) this.#channels.set(name, (channel = new Channel(name)))
    const wantsMore = since !== undefined || (presence !== undefined && !channel.wantsPresence)
    const subscriber = new Subscriber(this, name, listener, options)
    channel.add(subscriber, since)
    if (channel.stage === 'idle' || (wantsMore && channel.stage !== 'leaving')) this.#begin(channel)
    return subscriber
  }

  leave(subscriber: Subscriber, error: ClientError | null): void {
    const channel = this.#channels.get(subscriber.channel)
    if (channel?.subscribers.delete(subscriber) !== true) return
    subscriber.end(error)
    if (channel.subscribers.size === 0) this.#unsubscribe(channel)
    if (error !== null) this.#host.tell('ended', { channel: channel.name, error })
  }

  skipped(event: ClientEvents['skipped']): void {
    this.#host.tell('skipped', event)
  }

  take(name: string, notice: Notice): void {
    const { offset, data, subscribed, lost, skipped, unsubscribed, presence } = notice
    const channel = this.#channels.get(name) ?? (subscribed && this.#begun(name))
    if (channel === undefined || channel.stage === 'leaving') return
    if (subscribed !== undefined) channel.begin(subscribed)
    else if (lost !== undefined) {
      const event = channel.lose(lost, notice)
      if (event !== null) this.#host.tell('lost', event)
      if (notice.epoch !== undefined && lost.to > 0) this.#begin(channel)
    } else if (skipped !== undefined) {
      if (channel.skip(skipped)) this.skipped({ channel: name, ...skipped })
    } else if (presence !== undefined) channel.takePresence(presence)
    else if (unsubscribed !== undefined)
      this.#end(channel, new ClientError(unsubscribed.code, unsubscribed.message))
    else if (offset !== undefined && channel.take(offset, data)) this.#mend(channel)
  }

  /** There is a connection. @param given the channels to which its route has subscribed it */
  begin(given: readonly string[]): void {
    for (const channel of this.#channels.values()) {
      // Where the client has nothing yet, what the route has begun will do.
      const isBegun = channel.position === null && !channel.wantsPresence && given.includes(channel.name)
      if (isBegun) channel.stage = 'live'
      else this.#begin(channel)
    }
  }

  /** There is no connection. */
  pause(): void {
    for (const channel of this.#channels.values()) this.#pauseOne(channel)
  }

  /** @param error null where the program has ended the client */
  end(error: ClientError | null): void {
    for (const { subscribers } of this.#channels.values()) for (const each of subscribers) each.end(error)
    this.#channels.clear()
  }

  /** A channel to which the route has subscribed the connection. Who subscribes later goes on from there. */
  #begun(name: string): Channel {
    const channel = new Channel(name)
    channel.stage = 'live'
    this.#channels.set(name, channel)
    return channel
  }

  /** Asks for a channel from where the client is in it. */
  #begin(channel: Channel): void {
    if (!this.#host.isOpen()) return
    channel.stage = 'asked'
    const attempt = channel.newAttempt()
    this.#host.askNow(channel.request, (error, ok) => {
      if (!channel.isAt(attempt)) return
      if (error === null) {
        channel.stage = 'live'
        // Where the route has subscribed the connection, no other word of it may come.
        if (channel.position === null) channel.begin(ok as Position)
      } else if (PASSING.test(error.code)) {
        setTimeout(() => channel.isAt(attempt) && this.#begin(channel), LATER * (1 + Math.random()))
      } else this.#end(channel, error)
    })
  }

  #unsubscribe(channel: Channel): void {
    if (!this.#host.isOpen()) return void this.#channels.delete(channel.name)
    channel.leave()
    const attempt = channel.newAttempt()
    this.#host.askNow({ action: 'unsubscribe', channel: channel.name }, () => {
      // Nothing of the subscription that was can come behind this: one that came meanwhile begins.
      if (!channel.isAt(attempt)) return
      this.#pauseOne(channel)
      if (channel.subscribers.size > 0) this.#begin(channel)
    })
  }

  #pauseOne(channel: Channel): void {
    channel.newAttempt()
    channel.stage = 'idle'
    if (channel.subscribers.size === 0) this.#channels.delete(channel.name)
  }

  /** Messages are missing, and nobody has said so. */
  #mend(channel: Channel): void {
    // What comes to an earlier subscription need not follow: what has been asked for will.
    if (channel.stage !== 'live') return
    const error = ownError('SCZ_ERR_CLIENT_HOLE')
    if (!channel.hasMoved()) return this.#host.fail(error)
    this.#host.tell('error', error)
    this.#begin(channel)
  }

  #end(channel: Channel, error: ClientError): void {
    this.#channels.delete(channel.name)
    channel.newAttempt()
    for (const subscriber of channel.subscribers) subscriber.end(error)
    if (channel.subscribers.size > 0) this.#host.tell('ended', { channel: channel.name, error })
  }
}

/** In milliseconds: how long a server that could not subscribe is left alone. */
const LATER = 1000
