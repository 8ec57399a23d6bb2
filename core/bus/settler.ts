import { ScherzoError } from '../errors.ts'

/** Where a message stands in the log. */
export interface Published {
  readonly epoch: string
  readonly offset: number
  /** It was not published again: the channel had a message with the same idempotency key, and this is where that stands. */
  readonly duplicate?: true
}

/** A promise with its ends. Promise.withResolvers() takes a third longer (Node 26.10, 2026-11). */
export class Settler {
  resolve!: (published: Published) => void
  reject!: (reason: unknown) => void
  readonly promise: Promise<Published>

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** A caller that never looked at its promise must not bring the thread down while it closes. */
  rejectClosed(): void {
    this.promise.catch(() => undefined)
    this.reject(new ScherzoError('SCZ_ERR_BUS_CLOSED'))
  }
}
