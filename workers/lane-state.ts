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

  /** One for all sockets: each with a closure of its own would take 300 bytes more. */
  readonly #forget: (this: Duplex) => void

  constructor(limits: Limits, stats: Stats) {
    this.limits = limits
    this.stats = stats
    const { upgraded } = this
    this.#forget = function () {
      upgraded.delete(this)
    }
  }

  addUpgraded(socket: Duplex): void {
    this.stats.count('upgrades')
    this.upgraded.add(socket)
    socket.on('close', this.#forget)
  }
}
