import type { ChannelMessage, Position } from './contract.ts'
import type { LostEvent } from './events.ts'
import type { Notice, Span } from './notices.ts'
import { type Presence, type PresenceNotice, nextPresence } from './presence.ts'
import type { Subscriber } from './subscription.ts'

/**
 * - `idle`: the server has not been asked, or there is no connection.
 * - `asked`: a request is under way.
 * - `live`: what comes follows what was there.
 * - `leaving`: nobody wants it any more, and the server has not confirmed that yet.
 */
export type Stage = 'idle' | 'asked' | 'live' | 'leaving'

/** A channel, and how far the client is in it: what keeps messages from coming twice, or not at all. */
export class Channel {
  readonly name: string
  stage: Stage = 'idle'
  /** Behind the last message that was delivered; null until it is known where the channel is. */
  position: Position | null = null
  readonly subscribers: Set<Subscriber> = new Set()
  #presence: Presence | null = null
  /** Offsets up to this one may be left out: the server has told so. */
  #skippedTo = 0
  #holeAt = -1
  #attempt = 0

  constructor(name: string) {
    this.name = name
  }

  get wantsPresence(): boolean {
    return [...this.subscribers].some(({ onPresence }) => onPresence !== undefined)
  }

  /** Asks for what comes next. */
  get request(): object {
    const presence = this.wantsPresence || undefined
    return { action: 'subscribe', channel: this.name, since: this.position, presence }
  }

  /** What was asked before does not count any more. */
  newAttempt(): number {
    return ++this.#attempt
  }

  isAt(attempt: number): boolean {
    return this.#attempt === attempt
  }

  /** @param since where it has been, if it is the first */
  add(subscriber: Subscriber, since: Position | undefined): void {
    if (since !== undefined) this.position = since
    if (this.position !== null) subscriber.begin(this.position)
    if (this.#presence !== null) subscriber.onPresence?.(this.#presence)
    this.subscribers.add(subscriber)
  }

  /** Nobody wants it any more. Whoever comes now has not been given anything. */
  leave(): void {
    this.stage = 'leaving'
    this.position = null
    this.#presence = null
  }

  /** The server says where the channel is, before anything else of a subscription. */
  begin(position: Position): void {
    this.#skippedTo = 0
    // Where the client has been somewhere, what follows is what it has missed, or the word that it is lost.
    if (this.position !== null) return
    this.position = position
    for (const subscriber of this.subscribers) subscriber.begin(position)
  }

  /** Delivers a message if it is the next one. @returns whether messages before it are missing */
  take(offset: number, data: unknown): boolean {
    const { position } = this
    if (position === null || offset <= position.offset) return false
    if (offset > this.#reached(position) + 1) return true
    this.position = { epoch: position.epoch, offset }
    const message: ChannelMessage = { channel: this.name, offset, epoch: position.epoch, data }
    for (const subscriber of this.subscribers) subscriber.deliver(message)
    return false
  }

  /** @returns what to tell, or null if the client has all of it */
  lose({ from, to }: Span, { epoch, error }: Notice): LostEvent | null {
    const since = this.position
    if (since === null) return null
    const { name } = this
    // Nothing of another epoch has been here: all that is kept of it is new.
    if (epoch !== undefined)
      return { channel: name, from: 1, to: this.#miss({ epoch, offset: 0 }), epoch, since }
    if (error === undefined && to <= since.offset) return null
    this.#miss({ epoch: since.epoch, offset: to })
    return { channel: name, from, to, epoch: since.epoch, since }
  }

  /** @returns whether this follows what the client has: it may be of a subscription that has been replaced */
  skip({ from, to, count }: Span & { readonly count: number }): boolean {
    const { position } = this
    if (position === null || from > this.#reached(position) + 1) return false
    // Where only some are left out, those in between still come.
    if (to - from + 1 !== count) this.#skippedTo = Math.max(this.#skippedTo, to)
    else if (to > position.offset) this.#miss({ epoch: position.epoch, offset: to })
    return true
  }

  /** Whether it has moved since the last time: asking again may help. */
  hasMoved(): boolean {
    const before = this.#holeAt
    this.#holeAt = this.position!.offset
    return this.#holeAt !== before
  }

  takePresence(notice: PresenceNotice): void {
    const presence = nextPresence(this.#presence, notice)
    this.#presence = presence
    for (const { onPresence } of this.subscribers) onPresence?.(presence)
  }

  /** All that comes up to this offset has come, or is told of. */
  #reached({ offset }: Position): number {
    return Math.max(offset, this.#skippedTo)
  }

  #miss(position: Position): number {
    this.position = position
    for (const subscriber of this.subscribers) subscriber.miss(position)
    return position.offset
  }
}
