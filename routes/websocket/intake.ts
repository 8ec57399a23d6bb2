import type { Socket } from 'node:net'
import type { Outbox } from '../../core/broadcast/outbox.ts'
import type { Rate } from '../../core/token-bucket.ts'
import { FrameParser } from '../../core/websocket/frame-parser.ts'
import type { FrameSink, ParserSettings } from '../../core/websocket/frame-parser.ts'
import { pongFrame } from '../../core/websocket/frames.ts'
import { PACED_AT_ONCE, Pace } from './pace.ts'

/** While more than this waits for a client, nothing is read from it: its messages would only make more to send. */
const READ_WHILE_BELOW = 1_048_576

/**
 * Pings of one read that are answered one by one. Of more, only the last is: RFC 6455 section 5.5.3 asks for no more, and a
 * read has room for 10,000.
 */
const MAX_PONGS = 64

/**
 * Where messages may be compressed, how much is read before looking whether the client takes the answers: a chunk of 64 KiB
 * can inflate to 64 MiB of messages.
 */
const INFLATED_AT_ONCE = 4096

/** Whose messages are read. */
export interface IntakeOwner extends FrameSink {
  /** Whether it still heeds messages: pings are answered, and a client that is behind is waited for. */
  readonly isOpen: boolean
  /** Whether as many requests of it are under way as may be. */
  readonly isHeldUp: boolean
  /** What it sent can't be read. */
  fail(error: unknown): void
}

/** How the messages of a connection come. */
export interface IntakeSettings {
  readonly limits: ParserSettings
  /** Whether they may be longer than what is read of them. */
  readonly mayInflate: boolean
  /** How many may come; null for as many as do. */
  readonly rate: Rate | null
}

/**
 * Reads what a client sends, no faster than it may send and takes the answers. A connection need not keep one that is at rest: the next
 * one goes on in its place.
 */
export class Intake {
  readonly #socket: Socket
  readonly #owner: IntakeOwner
  readonly #outbox: Outbox
  readonly #parser: FrameParser
  readonly #rate: Rate | null
  /** How much may be looked at before looking whether to go on. */
  readonly #atOnce: number
  /** Null until the first message, and where they are taken as fast as they come. */
  #pace: Pace | null
  /** Pings of this read. */
  #pings: number
  #lastPing: Buffer | null
  #hasEnded: boolean

  constructor(
    socket: Socket,
    owner: IntakeOwner,
    outbox: Outbox,
    { limits, mayInflate, rate }: IntakeSettings
  ) {
    this.#socket = socket
    this.#owner = owner
    this.#outbox = outbox
    this.#parser = new FrameParser(owner, limits)
    this.#rate = rate
    this.#atOnce = rate !== null ? PACED_AT_ONCE : mayInflate ? INFLATED_AT_ONCE : Infinity
    this.#pace = null
    this.#pings = 0
    this.#lastPing = null
    this.#hasEnded = false
  }

  /** Whether it has nothing to remember. */
  get isAtRest(): boolean {
    return this.#parser.isAtRest && this.#pace === null && !this.#socket.isPaused()
  }

  /** Whether it waits until the client may send more. */
  get isHolding(): boolean {
    return this.#pace?.isHolding === true
  }

  receive(chunk: Buffer): void {
    // The socket may have been resumed because the client took something.
    if (this.isHolding) this.#socket.pause()
    const most = this.#atOnce
    if (chunk.length <= most && this.#pace === null) return this.#receivePiece(chunk)
    for (let at = 0; at < chunk.length && !this.#hasEnded; at += most) {
      // Comes again when reading goes on.
      if (this.#socket.isPaused()) return this.#socket.unshift(chunk.subarray(at))
      this.#receivePiece(chunk.subarray(at, at + most))
    }
  }

  /** Counts a message towards how many may come. */
  count(): void {
    if (this.#rate === null) return
    this.#pace ??= new Pace(this.#socket, this.#rate)
    this.#pace.count()
  }

  answer(ping: Buffer): void {
    this.#pings++
    if (this.#pings <= MAX_PONGS) this.#outbox.send(pongFrame(ping))
    else this.#lastPing = ping
  }

  /** The client has taken something, or was answered: reading goes on if nothing else holds it up. */
  resume(): void {
    if (!this.#socket.isPaused()) return
    if (this.#owner.isOpen && (this.#isBehind || this.#owner.isHeldUp)) return
    this.#socket.resume()
  }

  /** Reads as fast as it comes: the client's close frame is behind whatever else it has sent. */
  hurry(): void {
    this.#pace?.stop()
    this.#socket.resume()
  }

  /** Ignores what comes from now on. */
  end(): void {
    this.#hasEnded = true
    this.#parser.stop()
    this.#pace?.stop()
  }

  #receivePiece(chunk: Buffer): void {
    try {
      this.#parser.receive(chunk)
    } catch (error) {
      this.#owner.fail(error)
    }
    if (this.#pings > 0) this.#endPings()
    if (!this.#owner.isOpen) return
    if (this.#isBehind) this.#hold()
    if (this.#owner.isHeldUp) this.#socket.pause()
  }

  #endPings(): void {
    this.#pings = 0
    const ping = this.#lastPing
    this.#lastPing = null
    if (ping !== null && this.#owner.isOpen) this.#outbox.send(pongFrame(ping))
  }

  /** Whether too much waits for the client. */
  get #isBehind(): boolean {
    return this.#outbox.bufferedBytes > READ_WHILE_BELOW
  }

  #hold(): void {
    // The kernel may take it all.
    this.#outbox.flush()
    if (this.#isBehind) this.#socket.pause()
  }
}
