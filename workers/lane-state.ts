import type { Limits } from './limits.ts'
import type { Stats } from './metrics/stats.ts'

/** What both lanes of a worker heed and count. */
export class LaneState {
  readonly limits: Limits
  readonly stats: Stats
  /** Whether the worker finishes what it has: every connection ends with its next response. */
  isDraining = false
  /** Requests of the main lane that are not through. */
  openRequests = 0

  constructor(limits: Limits, stats: Stats) {
    this.limits = limits
    this.stats = stats
  }
}
