import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from './connection.ts'
import type { ConnectionOptions } from './connection.ts'
import { CLIENT_POLICIES } from './plan.ts'
import { until } from './until.ts'

export type SharedOptions = Omit<ConnectionOptions, 'name' | 'user' | 'policy' | 'isCompressed'>

/** The clients of a schedule, each with one connection at a time. */
export class Clients {
  /** Those that have ended, too. */
  readonly connections: Connection[] = []
  readonly #address: string
  readonly #options: SharedOptions
  /** The last one of each client. */
  readonly #last: (Connection | null)[] = CLIENT_POLICIES.map(() => null)

  constructor(address: string, options: SharedOptions) {
    this.#address = address
    this.#options = options
  }

  /** The connection of a client, if it can ask for something. */
  find(client: number): Connection | null {
    const connection = this.#last[client]!
    return connection !== null && connection.isOpen && !connection.isDropped ? connection : null
  }

  /** @param comesBack to the channels that it had, where it was */
  async connect(client: number, comesBack: boolean): Promise<void> {
    const before = this.#last[client]!
    if (before !== null && !before.isOver && !before.isDropped) return
    if (before !== null) {
      await until(
        () => before.isOver,
        () => `${before.name} ends`
      )
    }
    const connection = await this.#open(client)
    this.#last[client] = connection
    if (!comesBack || before === null) return
    for (const [channel, place] of before.places) {
      if (before.has(channel) && connection.isOpen) connection.subscribe(channel, place)
    }
  }

  userOf(client: number): string {
    return `user ${client} of ${this.#options.world}`
  }

  /** While workers die and come again, some try in vain. */
  async #open(client: number): Promise<Connection> {
    for (;;) {
      const connection = new Connection(this.#address, {
        ...this.#options,
        name: `client ${client} connection ${this.connections.length}`,
        user: this.userOf(client),
        policy: CLIENT_POLICIES[client]!,
        isCompressed: client === CLIENT_POLICIES.length - 1
      })
      this.connections.push(connection)
      // A place in a channel of the greeting is asked for once the server has told its own: the notices could not be told apart.
      const isThere = (): boolean => connection.isOver || (connection.isOpen && !connection.isWaiting)
      await until(isThere, () => `${connection.name} opens`)
      if (!connection.isOver) return connection
      await delay(10)
    }
  }
}
