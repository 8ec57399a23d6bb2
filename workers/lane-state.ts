import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Limits } from './limits.ts'
import type { Stats } from './metrics/stats.ts'

/** What takes upgrades before the app's own listeners. */
export interface UpgradeTaker {
  /** Whether a request leaves HTTP at all: if not, it is answered as if it had not asked. */
  shouldUpgrade(request: IncomingMessage): boolean
  /** @param passOn calls the app's own listeners */
  handleUpgrade(request: IncomingMessage, head: Buffer, passOn: () => void): void
}

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
  upgrades: UpgradeTaker | null = null

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
