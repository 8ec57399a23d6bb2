import type { Position } from './contract.ts'
import type { ClientError } from './errors.ts'

/** Where a client is: `waiting` is between two attempts to connect, `closed` is for good. */
export type ClientState = 'connecting' | 'open' | 'waiting' | 'closed'

/** What a client tells of, by the name of the event. */
export interface ClientEvents {
  readonly state: ClientState
  /** Messages that were missed and can't be had any more. */
  readonly lost: LostEvent
  /** Messages that a policy dropped because the client, or a loop in it, was too slow. */
  readonly skipped: SkippedEvent
  /** A subscription is over without the program having asked for it. */
  readonly ended: { readonly channel: string; readonly error: ClientError }
  /** What the server sends to all connections. */
  readonly broadcast: { readonly data: unknown; readonly offset: number }
  /** What the server sends to this identity only. */
  readonly direct: { readonly data: unknown }
  /** What an app sends by itself, or a server that is newer than the client: a value of JSON, other text, or bytes. */
  readonly message: unknown
  /** The server is about to close the connection. The client comes back by itself, after so many milliseconds. */
  readonly drain: { readonly reconnect: 'now' | 'later'; readonly after: number }
  /** Something went wrong that no promise tells of. The client goes on unless its state is `closed`. */
  readonly error: ClientError
}

export interface LostEvent {
  readonly channel: string
  /** Offsets from the first to the last one; from 1 to 0 where the epoch is another one. */
  readonly from: number
  readonly to: number
  /** In which these offsets count. */
  readonly epoch: string
  /**
   * Where the client was. If that is another epoch, what came there after it is lost, and nobody knows whether there was
   * anything; of the new epoch nothing is.
   */
  readonly since: Position
}

export interface SkippedEvent {
  readonly channel: string
  readonly from: number
  readonly to: number
  /** How many messages of these were dropped: others in between may still come. */
  readonly count: number
}

/** Who listens to which event. */
export class Listeners {
  readonly #listeners = new Map<keyof ClientEvents, Set<(event: never) => void>>()

  /** @returns ends that */
  add<Name extends keyof ClientEvents>(
    name: Name,
    listener: (event: ClientEvents[Name]) => void
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // Whoever adds the same function twice can take away each by itself.
    const own = (event: ClientEvents[Name]): void => listener(event)
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  tell<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) shielded(() => listener(event as never))
  }
}

/** What a listener throws is for whoever looks after uncaught errors; the client goes on. */
export function shielded(call: () => void): void {
  try {
    call()
  } catch (error) {
    setTimeout(() => {
      throw error
    }, 0)
  }
}
