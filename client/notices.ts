import type { Position } from './contract.ts'
import type { PresenceNotice } from './presence.ts'

/** Everything that a server may send, docs/PROTOCOL.md: which it is shows in the fields that are there. */
export interface Notice {
  readonly id?: number
  readonly ok?: unknown
  readonly error?: Told
  readonly connected?: Connected
  readonly drain?: Drain
  readonly channel?: string
  readonly offset?: number
  readonly data?: unknown
  readonly epoch?: string
  readonly subscribed?: Position
  readonly lost?: Span
  readonly skipped?: Span & { readonly count: number }
  readonly unsubscribed?: Told
  readonly presence?: PresenceNotice
}

export interface Connected {
  readonly protocol: string
  readonly identity: string | null
  /** In seconds since 1970. */
  readonly expires: number | null
  /** Those to which the route has subscribed the connection. */
  readonly channels: readonly string[]
  /** In seconds; 0: never. */
  readonly pingInterval: number
  readonly maxMessageBytes: number
}

export interface Drain {
  readonly reconnect: 'now' | 'later'
  /** In milliseconds, another number for each client. */
  readonly after: number
}

export interface Span {
  readonly from: number
  readonly to: number
}

/** An error of the server. */
export interface Told {
  readonly code: string
  readonly message: string
}
