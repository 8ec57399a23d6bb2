import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Perishable {
  /** Its time may be over: it is called once for each `add`, and also where that was deleted in the last moment. */
  expire(): void
}

/** So many expire in one turn of the loop: tokens that were given out together end together. */
const EXPIRED_PER_TURN = 256

/**
 * What ends at a time of day, with one timer for all. It looks once a second, so that neither a clock that is set nor a time that
 * no timer can hold makes a difference.
 */
export class Expiries {
  readonly #due = new Map<number, Set<Perishable>>()
  #timer: NodeJS.Timeout | null = null

  /** @param second since 1970 */
  add(thing: Perishable, second: number): void {
    const known = this.#due.get(second)
    if (known === undefined) this.#due.set(second, new Set([thing]))
    else known.add(thing)
    this.#timer ??= this.#wait()
  }

  delete(thing: Perishable, second: number): void {
    const things = this.#due.get(second)
    if (things?.delete(thing) && things.size === 0) this.#due.delete(second)
  }

  stop(): void {
    clearTimeout(this.#timer ?? undefined)
  }

  #wait(): NodeJS.Timeout {
    return setTimeout(() => this.#look(), 1000 - (Date.now() % 1000)).unref()
  }

  #look(): void {
    const now = Date.now()
    for (const [second, things] of this.#due) {
      if (second * 1000 > now) continue
      this.#due.delete(second)
      void expireAll(things)
    }
    this.#timer = this.#due.size === 0 ? null : this.#wait()
  }
}

async function expireAll(things: ReadonlySet<Perishable>): Promise<void> {
  let expired = 0
  for (const thing of things) {
    thing.expire()
    if (++expired % EXPIRED_PER_TURN === 0) await nextTurn()
  }
}
