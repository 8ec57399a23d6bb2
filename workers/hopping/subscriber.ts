import type { Ledger } from './ledger.ts'
import type { Pair } from './pair.ts'
import { type Told, Visitor } from './visitor.ts'

/** Gets everything that a channel has, from its beginning on. */
export class Subscriber extends Visitor {
  readonly #name: string
  readonly #channel: string
  readonly #epoch: string
  readonly #ledger: Ledger
  /** Of the last message it had. */
  offset = 0

  constructor(pair: Pair, name: string, channel: string, epoch: string, ledger: Ledger) {
    super(pair)
    this.#name = name
    this.#channel = channel
    this.#epoch = epoch
    this.#ledger = ledger
  }

  protected override take(told: Told): void {
    const { connected, channel, offset, data, id, ok } = told
    if (connected !== undefined) this.#subscribe()
    else if (channel !== undefined && offset !== undefined) this.#accept(offset, String(data))
    else if (id !== undefined) this.#begin(told, ok?.offset)
    else if (!('subscribed' in told) && !('drain' in told))
      this.#ledger.fault(`${this.#name} was told ${JSON.stringify(told)}`)
  }

  #subscribe(): void {
    const since = { epoch: this.#epoch, offset: this.offset }
    this.say({ id: 1, action: 'subscribe', channel: this.#channel, since })
  }

  #accept(offset: number, data: string): void {
    if (offset !== this.offset + 1)
      this.#ledger.fault(`${this.#name} got offset ${offset} behind ${this.offset}`)
    this.offset = offset
    this.#ledger.note(this.#name, offset, data)
  }

  #begin(told: Told, offset: number | undefined): void {
    // An instance that closes says so; the subscriber comes back to another one.
    if (told.error?.code === 'SCZ_ERR_CLOSED') this.hop()
    else if (offset === undefined) this.#ledger.fault(`${this.#name} was refused: ${JSON.stringify(told)}`)
  }
}
