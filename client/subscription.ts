import type { ChannelMessage, Position } from './contract.ts'
import { type ClientError, ownError } from './errors.ts'
import { shielded } from './events.ts'
import type { SkippedEvent } from './events.ts'
import type { SubscribeOptions } from './options.ts'
import type { Presence } from './presence.ts'

/** What one call of `client.subscribe()` gives; its messages come in the order of their offsets, each once. */
export interface Subscription<Message> extends AsyncIterable<Message> {
  readonly channel: string
  /**
   * Behind the last message that the listener or the loop was given: whoever keeps it can go on there with `since`. Null
   * until the server has said where the channel is.
   */
  readonly position: Position | null
  /**
   * Resolves with where the subscription begins, once the server has said so; rejects if it refuses, or if the subscription is over
   * before. Nobody need look at it.
   */
  readonly ready: Promise<Position>
  /** Ends it: no message comes after this. A loop ends, too. */
  unsubscribe(): void
}

export type MessageListener = (data: unknown, message: ChannelMessage) => void

/** What a subscription needs of its client. */
export interface SubscriptionHost {
  leave(subscriber: Subscriber, error: ClientError | null): void
  skipped(event: SkippedEvent): void
}

/** A subscription from the inside: to a listener, or to a buffer that a loop empties. */
export class Subscriber implements Subscription<ChannelMessage> {
  readonly channel: string
  position: Position | null = null
  readonly ready: Promise<Position>
  readonly onPresence: ((presence: Presence) => void) | undefined
  readonly #host: SubscriptionHost
  readonly #listener: MessageListener | undefined
  readonly #options: SubscribeOptions
  #buffer: ChannelMessage[] = []
  #begin!: (position: Position) => void
  #refuse!: (error: ClientError) => void
  /** Why it is over; null: the program has ended it. */
  #end: ClientError | null | undefined
  /** Wakes the loop. */
  #wake: (() => void) | undefined

  constructor(
    host: SubscriptionHost,
    channel: string,
    listener: MessageListener | undefined,
    options: SubscribeOptions
  ) {
    this.#host = host
    this.channel = channel
    this.#listener = listener
    this.#options = options
    const { presence } = options
    this.onPresence = presence && ((state) => shielded(() => presence(state)))
    this.ready = new Promise((resolve, reject) => {
      this.#begin = resolve
      this.#refuse = reject
    })
    this.ready.catch(() => {})
  }

  begin(position: Position): void {
    this.position ??= position
    this.#begin(position)
  }

  deliver(message: ChannelMessage): void {
    // A listener of the same message may have ended it.
    if (this.#end !== undefined) return
    if (this.#listener === undefined) return this.#keep(message)
    this.#pass(message)
    shielded(() => this.#listener!(message.data, message))
  }

  /** Messages up to this place do not come. */
  miss(position: Position): void {
    if (this.#buffer.length === 0) this.#pass(position)
  }

  unsubscribe(): void {
    this.#host.leave(this, null)
  }

  /** @param error null where the program wants no more */
  end(error: ClientError | null): void {
    if (this.#end !== undefined) return
    this.#end = error
    this.#refuse(error ?? ownError('SCZ_ERR_CLIENT_CLOSED'))
    if (error === null) this.#buffer = []
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelMessage, void> {
    try {
      for (;;) {
        const message = this.#buffer.shift()
        if (message !== undefined) {
          this.#pass(message)
          yield message
        } else if (this.#end === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        } else if (this.#end === null) return
        else throw this.#end
      }
    } finally {
      this.unsubscribe()
    }
  }

  #pass({ epoch, offset }: Position): void {
    this.position = { epoch, offset }
  }

  #keep(message: ChannelMessage): void {
    const { buffer = 1000, overflow } = this.#options
    if (this.#buffer.length >= buffer) {
      if (overflow !== 'skip') return this.#host.leave(this, ownError('SCZ_ERR_CLIENT_BUFFER'))
      const { offset } = this.#buffer.shift()!
      this.#host.skipped({ channel: this.channel, from: offset, to: offset, count: 1 })
    }
    this.#buffer.push(message)
    this.#wake?.()
  }
}
