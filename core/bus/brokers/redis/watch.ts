import { MAX_SILENCE } from './options.ts'

/** How often each connection is asked, in milliseconds. */
const INTERVAL = 1000

interface Connection {
  readonly isReady: boolean
  ping(): Promise<unknown>
}

interface WatchListener<Watched> {
  /** It owes an answer for too long. */
  onSilent(connection: Watched): void
  /** It is not connected, this time. */
  onAway?(connection: Watched): void
}

/**
 * Asks each connection for itself whether anybody is there: a host that loses its power or its network resets none. Rounds are
 * counted, not time: while this process is stuck it hears of nobody.
 */
export class Watch<Watched extends Connection> {
  readonly #connections: () => Iterable<Watched>
  /** For how many rounds an answer is awaited. */
  readonly #rounds = new WeakMap<Watched, number>()
  #timer: NodeJS.Timeout | null = null

  /** @param connections those of the moment */
  constructor(connections: () => Iterable<Watched>) {
    this.#connections = connections
  }

  start(listener: WatchListener<Watched>): void {
    this.#timer = setInterval(() => this.#go(listener), INTERVAL).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #go(listener: WatchListener<Watched>): void {
    for (const connection of this.#connections()) {
      const rounds = this.#rounds.get(connection)
      if (!connection.isReady) listener.onAway?.(connection)
      else if (rounds === undefined) this.#ask(connection)
      else if ((rounds + 1) * INTERVAL < MAX_SILENCE) this.#rounds.set(connection, rounds + 1)
      else listener.onSilent(connection)
    }
  }

  #ask(connection: Watched): void {
    this.#rounds.set(connection, 0)
    const answered = (): void => {
      this.#rounds.delete(connection)
    }
    // A connection that is lost tells it in another way.
    connection.ping().then(answered, answered)
  }
}
