import { ScherzoError } from '../../core/errors.ts'
import type { ScherzoServer } from '../server.ts'

/** One of two workers gets a request: it does not get so many by chance. */
const TRIES = 50

/** Kills the workers of a server, and reloads it. */
export class Upheaval {
  readonly #server: ScherzoServer
  readonly #killsLeft: number
  readonly #fault: (text: string) => void
  readonly #dead = new Set<number>()
  #reload: Promise<void> | null = null
  kills = 0
  reloads = 0

  /** @param killsLeft how many workers may die */
  constructor(server: ScherzoServer, killsLeft: number, fault: (text: string) => void) {
    this.#server = server
    this.#killsLeft = killsLeft
    this.#fault = fault
  }

  /** Whether the worker may have been killed. */
  isDead(thread: number): boolean {
    return this.#dead.has(thread)
  }

  async kill(thread: number, how: string): Promise<void> {
    if (this.kills === this.#killsLeft || this.#dead.has(thread)) return
    this.#dead.add(thread)
    for (let tries = 0; tries < TRIES; tries++) {
      const options = { headers: { connection: 'close' } }
      const response = await fetch(`${this.#server.address}/kill/${thread}/${how}`, options).catch(() => null)
      if (response?.status !== 200) continue
      this.kills++
      return
    }
  }

  reload(): void {
    if (this.#reload !== null) return
    this.reloads++
    this.#reload = this.#server
      .reload()
      .catch((error: unknown) => {
        // A worker that was told to die while it came up.
        const isKilled = error instanceof ScherzoError && error.code === 'SCZ_ERR_RELOAD' && this.kills > 0
        if (!isKilled) this.#fault(`The reload failed: ${String(error)}`)
      })
      .finally(() => {
        this.#reload = null
      })
  }

  async reloaded(): Promise<void> {
    await this.#reload
  }
}
