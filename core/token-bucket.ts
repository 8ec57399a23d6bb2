/** How often something may happen. */
export interface Rate {
  readonly perSecond: number
  /** How often it may happen at once, after a pause. */
  readonly burst: number
}

/**
 * Counts what happens against a rate. It has no clock and no timer: every call gets the time, in milliseconds from anywhere, that
 * never goes back. All it keeps is when the bucket will be full again, so that no rounding adds up.
 */
export class TokenBucket {
  /** In milliseconds, the time in which one token comes back, and all of them. */
  readonly #interval: number
  readonly #whole: number
  #fullAt: number

  constructor({ perSecond, burst }: Rate, now: number) {
    this.#interval = 1000 / perSecond
    this.#whole = burst * this.#interval
    this.#fullAt = now
  }

  /** Takes a token if there is one. @returns 0 then, and otherwise in how many milliseconds there will be one */
  take(now: number): number {
    const wait = this.#waitFor(1, now)
    if (wait === 0) this.#fullAt = Math.max(this.#fullAt, now) + this.#interval
    return wait
  }

  /** Takes a token in any case. @returns in how many milliseconds it is paid for; 0: at once */
  spend(now: number): number {
    this.#fullAt = Math.max(this.#fullAt, now) + this.#interval
    return this.debt(now)
  }

  /** In how many milliseconds everything is paid for. */
  debt(now: number): number {
    return this.#waitFor(0, now)
  }

  /** Whether nothing has happened for so long that all tokens are here. */
  isFull(now: number): boolean {
    return this.#fullAt - now < ROUNDING
  }

  #waitFor(tokens: number, now: number): number {
    const wait = Math.max(this.#fullAt, now) + tokens * this.#interval - now - this.#whole
    return wait < ROUNDING ? 0 : Math.ceil(wait - ROUNDING)
  }
}

/** Times of some days have this much less than they should, in milliseconds. */
const ROUNDING = 0.001
