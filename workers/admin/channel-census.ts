import { performance } from 'node:perf_hooks'
import type { ServerView } from '../server-view.ts'

/** The channels that have subscribers. */
export interface Channels {
  readonly count: number
  /** Those with the most subscribers; at most 200. */
  readonly rows: readonly ChannelRow[]
}

export interface ChannelRow {
  readonly name: string
  readonly subscribers: number
  /** How many messages it has had. */
  readonly messages: number
  /** Messages per second; null until it has been seen twice. */
  readonly rate: number | null
}

const ROWS = 200

/** An ask that took long is followed by a rest of so many times that: with 100,000 channels every worker has work with it. */
const REST = 20

/** Asks the workers for their channels, no more often than they can bear. */
export class ChannelCensus {
  latest: Channels = { count: 0, rows: [] }
  readonly #view: ServerView
  #offsets: ReadonlyMap<string, number> = new Map()
  #at = 0
  #isAsking = false
  #restsUntil = 0

  constructor(view: ServerView) {
    this.#view = view
  }

  /** Settles when `latest` is as new as it may be; the server may be closing by now. */
  async refresh(): Promise<void> {
    const start = performance.now()
    if (this.#isAsking || start < this.#restsUntil) return
    this.#isAsking = true
    try {
      this.#take(await this.#view.channels())
    } finally {
      const end = performance.now()
      this.#restsUntil = end + (end - start) * REST
      this.#isAsking = false
    }
  }

  #take(counts: ReadonlyMap<string, number>): void {
    const now = performance.now()
    const seconds = (now - this.#at) / 1000
    const before = this.#offsets
    const shown = [...counts].sort(([, a], [, b]) => b - a).slice(0, ROWS)
    const offsets = new Map(shown.map(([name]) => [name, this.#view.offsetOf(name)]))
    const rows = shown.map(([name, subscribers]) => {
      const messages = offsets.get(name)!
      const known = before.get(name)
      const rate = known === undefined ? null : Math.max(0, messages - known) / seconds
      return { name, subscribers, messages, rate }
    })
    this.#offsets = offsets
    this.#at = now
    this.latest = { count: counts.size, rows }
  }
}
