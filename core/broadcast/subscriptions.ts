import type { Outbox } from './outbox.ts'

/** What becomes of a subscriber that does not keep up. */
export interface SlowPolicy {
  /** `close` ends the connection, `skip` drops the oldest messages, `latest` all but the last of each key. */
  readonly policy: 'close' | 'skip' | 'latest'
  /** How many bytes may wait for the client. */
  readonly maxBytes: number
  /** How long the oldest of them may wait, in milliseconds. */
  readonly maxAge: number
}

/** What a WebSocket endpoint needs of the hub. */
export interface Subscriptions {
  /**
   * A connection joins.
   *
   * @param close called by the hub when the policy says so
   */
  join(outbox: Outbox, policy: SlowPolicy, close: (code: number, reason: string) => void): Membership
}

/** One connection's part in the hub. */
export interface Membership {
  subscribe(channel: string): void
  unsubscribe(channel: string): void
  /** The connection is gone, or about to be. Nothing is sent to its outbox after this. */
  leave(): void
}
