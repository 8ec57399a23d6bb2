import { ScherzoError } from '../../errors.ts'
import { History, type HistoryAnswer, type HistoryQuery, type HistorySource } from '../history.ts'
import type { FakeBus } from './fake-bus.ts'

/** The past of a fake bus. It answers when the test says so. */
export class FakeHistory implements HistorySource {
  readonly epoch: string = 'epoch'
  readonly store: History
  readonly #bus: FakeBus
  #asks: (() => () => void)[] = []
  #answers: (() => void)[] = []
  /** Whether it answers at once. */
  isQuick = true
  isClosed = false
  fetches = 0

  /** To be made before anything is published. */
  constructor(bus: FakeBus, size: number, maxBytes = 1e9) {
    this.#bus = bus
    this.store = new History(maxBytes, () => 1_700_000_000_000)
    this.store.setRule('*', { history: { size, age: 60 } })
    bus.onPublish = (record) => this.store.take(record)
  }

  fetch(channel: string, query: HistoryQuery): Promise<HistoryAnswer> {
    this.fetches++
    if (this.isClosed) return Promise.reject(new ScherzoError('SCZ_ERR_CLOSED', ['read the history']))
    const { promise, resolve } = Promise.withResolvers<HistoryAnswer>()
    this.#asks.push(() => {
      const page = this.store.page(channel, query, this.#bus.offsetOf(channel))
      const answer = { epoch: this.epoch, ...page, position: this.#bus.published }
      return () => resolve(answer)
    })
    if (this.isQuick) this.answer()
    return promise
  }

  /** Looks for what is asked for, and keeps the answers back. */
  look(): void {
    for (const ask of this.#asks.splice(0)) this.#answers.push(ask())
  }

  answer(): void {
    this.look()
    for (const answer of this.#answers.splice(0)) answer()
  }
}
