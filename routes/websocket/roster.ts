import type { Reconnect } from '../protocol/notices.ts'

/** What the roster keeps alive. */
export interface Living {
  /** A ping interval has passed. */
  tick(): void
}

/** A connection that ends with its worker. */
export interface Resident extends Living {
  /** @param sockets how many the worker has */
  closeForDrain(reconnect: Reconnect, sockets: number): void
}

/** Parts of the interval in which one group after another is pinged, so that no turn of the loop pings all. */
const GROUPS = 16

/** The open connections of a worker, and the one timer that keeps them alive. */
export class Roster<Connection extends Living> {
  readonly #groups: readonly Set<Connection>[] = Array.from({ length: GROUPS }, () => new Set<Connection>())
  readonly #timer: NodeJS.Timeout | null
  #turn = 0
  #size = 0

  /** @param interval in milliseconds; 0 for no pings */
  constructor(interval: number) {
    this.#timer = interval === 0 ? null : setInterval(() => this.#tick(), interval / GROUPS).unref()
  }

  get size(): number {
    return this.#size
  }

  /** @returns the group, for `delete` */
  add(connection: Connection): number {
    // The group that has just had its turn is the one that waits longest for the next.
    const group = this.#turn
    this.#groups[group]!.add(connection)
    this.#size++
    return group
  }

  delete(connection: Connection, group: number): void {
    if (this.#groups[group]!.delete(connection)) this.#size--
  }

  /** All of them at this moment. */
  list(): Connection[] {
    return this.#groups.flatMap((group) => [...group])
  }

  stop(): void {
    clearInterval(this.#timer ?? undefined)
  }

  #tick(): void {
    this.#turn = (this.#turn + 1) % GROUPS
    for (const connection of this.#groups[this.#turn]!) connection.tick()
  }
}
