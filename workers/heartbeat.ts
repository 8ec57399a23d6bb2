import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Stats } from './metrics/stats.ts'

/** How often a worker tells that its loop turns, in milliseconds. */
const INTERVAL = 500

/**
 * How finely the delay of the loop is sampled, in milliseconds: a timer of this period wakes the thread. With 20 ms an idle
 * server used 6 ms of CPU a second, with 100 ms 2 (November 2026).
 */
const RESOLUTION = 100

/**
 * Writes the state of this thread into its statistics for as long as its loop turns.
 *
 * @param measure adds what only the worker knows
 */
export function startHeartbeat(stats: Stats, measure: (stats: Stats) => void): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  const beat = (): void => {
    const { heapUsed, heapTotal, external } = process.memoryUsage()
    stats.set('heapUsed', heapUsed)
    stats.set('heapTotal', heapTotal)
    stats.set('external', external)
    stats.set('loopDelayMean', beyondResolution(delay.mean))
    stats.set('loopDelayP99', beyondResolution(delay.percentile(99)))
    stats.set('loopDelayMax', beyondResolution(delay.max))
    delay.reset()
    measure(stats)
    stats.set('heartbeat', Date.now())
  }
  beat()
  setInterval(beat, INTERVAL).unref()
}

/** What is measured is the time between two turns of a timer, in nanoseconds; what counts is how late it was, in seconds. */
function beyondResolution(nanoseconds: number): number {
  const late = nanoseconds / 1e9 - RESOLUTION / 1000
  return late > 0 ? late : 0
}
