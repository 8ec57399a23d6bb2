import { performance } from 'node:perf_hooks'

/** How busy the loop of this thread was in the last while: looked up when it is asked for, so an idle thread does nothing. */
export class LoopLoad {
  #utilisation = 0
  #last = performance.eventLoopUtilization()
  #lookedAt = performance.now()

  /** From 0 to 1. @param now by performance.now() */
  at(now: number): number {
    if (now - this.#lookedAt < INTERVAL) return this.#utilisation
    this.#lookedAt = now
    const current = performance.eventLoopUtilization()
    this.#utilisation = performance.eventLoopUtilization(current, this.#last).utilization
    this.#last = current
    return this.#utilisation
  }
}

/** In milliseconds: long enough to have several fan-outs in it, short enough to notice a burst. */
const INTERVAL = 50
