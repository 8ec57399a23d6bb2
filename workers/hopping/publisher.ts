import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from './ledger.ts'
import type { Pair } from './pair.ts'
import { type Told, Visitor } from './visitor.ts'

export interface Place {
  readonly epoch: string
  readonly offset: number
}

/** Publishes one message after the other. What is not answered may be published or not, and is not sent again. */
export class Publisher extends Visitor {
  readonly #name: string
  readonly #channel: string
  readonly #ledger: Ledger
  #ready = Promise.withResolvers<void>()
  #isReady = false
  #answer: ((place: Place | null) => void) | null = null
  #published = 0

  constructor(pair: Pair, name: string, channel: string, ledger: Ledger) {
    super(pair)
    this.#name = name
    this.#channel = channel
    this.#ledger = ledger
  }

  /** @returns where it stands, or null where that is not known */
  async publish(): Promise<Place | null> {
    while (!this.#isReady) await this.#ready.promise
    const id = ++this.#published
    const data = `${this.#name}-${id}`
    const { promise, resolve } = Promise.withResolvers<Place | null>()
    this.#answer = resolve
    this.say({ id, action: 'publish', channel: this.#channel, data })
    const place = await promise
    if (place !== null) this.#ledger.note(this.#name, place.offset, data)
    return place
  }

  async publishUntil(isOver: () => boolean, pause: number): Promise<void> {
    while (!isOver()) {
      await this.publish()
      await sleep(pause)
    }
  }

  async publishForSure(): Promise<Place> {
    for (;;) {
      const place = await this.publish()
      if (place !== null) return place
    }
  }

  protected override take({ connected, id, ok }: Told): void {
    if (connected !== undefined) {
      this.#isReady = true
      this.#ready.resolve()
    } else if (id === this.#published) this.#tell(ok ?? null)
  }

  protected override leave(): void {
    // Who waits for a connection goes on waiting for the next one.
    if (this.#isReady) this.#ready = Promise.withResolvers()
    this.#isReady = false
    this.#tell(null)
  }

  #tell(place: Place | null): void {
    this.#answer?.(place)
    this.#answer = null
  }
}
