import type { Duplex } from 'node:stream'
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
  /** Sockets that have left HTTP by an upgrade or a CONNECT. */
  readonly upgraded: Set<Duplex> = new Set()

  constructor(limits: Limits, stats: Stats) {
    this.limits = limits
    this.stats = stats
  }

  addUpgraded(socket: Duplex): void {
    this.stats.count('upgrades')
    this.upgraded.add(socket)
    socket.once('close', () => this.upgraded.delete(socket))
  }
}
