import { performance } from 'node:perf_hooks'

/** What is cut when its time is up. */
export interface Cuttable {
  cut(): void
}

/** Connections that have the same time left to end by themselves, with one timer for all. */
export class Deadlines {
  readonly #milliseconds: number
  /** When each is due; since all have the same time, in this order. */
  readonly #due: Map<Cuttable, number> = new Map()
  #timer: NodeJS.Timeout | null = null

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /** Begins the time of a connection, once. */
  add(connection: Cuttable): void {
    if (this.#due.has(connection)) return
    this.#due.set(connection, performance.now() + this.#milliseconds)
    if (this.#timer === null) this.#timer = this.#wait(this.#milliseconds)
  }

  delete(connection: Cuttable): void {
    this.#due.delete(connection)
  }

  #wait(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#cutDue(), milliseconds).unref()
  }

  #cutDue(): void {
    this.#timer = null
    const now = performance.now()
    for (const [connection, due] of this.#due) {
      if (due > now) {
        this.#timer = this.#wait(Math.ceil(due - now))
        return
      }
      this.#due.delete(connection)
      connection.cut()
    }
  }
}
