import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { TokenBucket } from '../../core/token-bucket.ts'
import type { Rate } from '../../core/token-bucket.ts'

/**
 * How much is looked at before the pace is: a message has at least six bytes, so about 170 of them may come beyond the burst,
 * and have to be waited for.
 */
export const PACED_AT_ONCE = 1024

/** Stops reading from a client that sends more messages than it may, until the time for them has passed. */
export class Pace {
  readonly #socket: Socket
  readonly #bucket: TokenBucket
  #timer: NodeJS.Timeout | null

  constructor(socket: Socket, rate: Rate) {
    this.#socket = socket
    this.#bucket = new TokenBucket(rate, performance.now())
    this.#timer = null
  }

  get isHolding(): boolean {
    return this.#timer !== null
  }

  /** A message has come. */
  count(): void {
    const wait = this.#bucket.spend(performance.now())
    if (wait === 0 || this.#timer !== null) return
    this.#socket.pause()
    this.#wait(wait)
  }

  /** Whoever reads from now on does not look at the messages any more. */
  stop(): void {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#goOn(), milliseconds).unref()
  }

  #goOn(): void {
    const rest = this.#bucket.debt(performance.now())
    if (rest > 0) return this.#wait(rest)
    this.#timer = null
    this.#socket.resume()
  }
}
