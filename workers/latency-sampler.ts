import { performance } from 'node:perf_hooks'
import type { Stats } from './metrics/stats.ts'

/**
 * One read in so many is timed, and stands for those before it: asking for the time twice cost 0.18 µs of the 10 µs that a
 * read of one request takes (November 2026, virtual machine).
 */
const TIMED = 16

/** Times the answers of the fast lane. */
export class LatencySampler {
  readonly #stats: Stats
  #reads = 0
  /** Requests that no timed read stands for yet. */
  #untimed = 0
  #lastSeconds = 0

  constructor(stats: Stats) {
    this.#stats = stats
  }

  /** What {@link end} wants to know: the time, or 0 where this read is not timed. */
  begin(): number {
    return this.#reads++ % TIMED === 0 ? performance.now() : 0
  }

  end(begun: number, requests: number): void {
    this.#untimed += requests
    if (begun === 0) return
    this.#lastSeconds = (performance.now() - begun) / 1000
    this.#observe()
  }

  /** Leaves nothing out, and times the next read: where there are few, each one is timed. */
  tick(): void {
    this.#reads = 0
    if (this.#untimed > 0) this.#observe()
  }

  #observe(): void {
    this.#stats.countLatency('fast', this.#lastSeconds, this.#untimed)
    this.#untimed = 0
  }
}
