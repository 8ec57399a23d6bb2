import { performance } from 'node:perf_hooks'
import type { StalledMembers, Subscriber } from './subscriber.ts'

/** How often the age of what is held back is looked at, in milliseconds. */
const INTERVAL = 250

/** The members of a thread for whom something is held back. One timer looks after all of them, and only while there are any. */
export class Stalled implements StalledMembers {
  readonly #members = new Set<Subscriber>()
  #timer: NodeJS.Timeout | null = null

  add(member: Subscriber): void {
    this.#members.add(member)
    this.#timer ??= setInterval(() => this.check(performance.now()), INTERVAL).unref()
  }

  delete(member: Subscriber): void {
    this.#members.delete(member)
    if (this.#members.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  /** When the oldest message that is held back was read, by performance.now(), or null. */
  get oldest(): number | null {
    let oldest = Infinity
    for (const { heldSince } of this.#members) oldest = Math.min(oldest, heldSince ?? Infinity)
    return oldest === Infinity ? null : oldest
  }

  check(now: number): void {
    for (const member of this.#members) member.checkAge(now)
  }
}
