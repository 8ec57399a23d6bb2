import type { Format } from './format.ts'
import type { Recovered, Since } from './since.ts'

/** The way to one client, as the hub sees it. */
export interface Outbox {
  /** Bytes that the client has not taken: in the outbox and in the socket's buffer. */
  readonly bufferedBytes: number
  /** Whether the socket has bytes that the kernel did not take. */
  readonly isStalled: boolean
  /** Since when, by performance.now(). */
  readonly stalledSince: number | null
  /** Called once it is no longer stalled. */
  onDrain: (() => void) | null
  /**
   * Told where the client stands in a channel once it has what is sent next. Null where that is nobody's business; messages are
   * sent one by one where it is not.
   */
  readonly onPlace: ((channel: string, place: Since) => void) | null
  /** Joins the one write of this turn of the loop. */
  send(frame: Buffer): void
  flush(): void
}

/** Something that ends with a close code. */
export interface Closable {
  close(code: number, reason: string): void
}

/** Where connections become members, who may subscribe to channels. */
export interface Subscriptions {
  /**
   * A connection joins, and gets what is broadcast.
   *
   * @param connection is closed when the policy ends it; the member has left by then
   * @param format how it gets its messages; plain frames by default
   */
  join(outbox: Outbox, policy: SlowPolicy, connection: Closable, format?: Format): Membership
  /**
   * Makes the channels' messages come, for connections that subscribe within some seconds.
   *
   * @returns settles when they come; null: they do
   */
  prepare(channels: readonly string[]): Promise<void> | null
}

export interface Membership {
  /**
   * @returns undefined where it gets every message that is published from now on; with a broker, a promise that settles when it
   *   does
   * @throws SCZ_ERR_HUB_CHANNEL
   */
  subscribe(channel: string): Promise<void> | undefined
  /**
   * Subscribes, and first catches up with what was published after `since`, as far as it is kept. The client is told the
   * epoch and the offset, and what is lost, see docs/WEBSOCKETS.md.
   *
   * @param since null where the client has nothing yet, and only wants to learn where it is
   * @returns resolves when it is level with the live stream; with null if it had the channel already, or is gone before that
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_SINCE, both at once
   */
  subscribe(channel: string, since: Since | null): Promise<Recovered | null>
  /** @returns whether it had the channel, or was about to */
  unsubscribe(channel: string): boolean
  /** How many channels it is subscribed to, or about to be. */
  readonly size: number
  /** Whether it is subscribed to the channel, or about to be. */
  has(channel: string): boolean
  /**
   * Tells the client who is in the channel, and then who joins and leaves, whether it is subscribed or not.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE
   */
  watchPresence(channel: string): void
  unwatchPresence(channel: string): void
  /** Hands over what waits for a batch to be closed, unless the client is behind: nothing may follow a close frame. */
  flush(): void
  leave(): void
}

/**
 * What becomes of a client that reads more slowly than messages come. They are held back for it up to a limit, beyond which
 *
 * - `close` closes the connection with code 1008 and a reason that says why,
 * - `skip` drops the oldest,
 * - `latest` keeps one message for each key, or for each channel where messages have no key, from the first one on; beyond
 *   the limit it drops the oldest as well.
 *
 * What was dropped is told to the client, by channel, before it gets anything else of the channel:
 * `{"channel":"ticks","skipped":{"from":12,"to":40,"count":29}}`: 29 messages with offsets from 12 to 40.
 */
export interface SlowPolicy {
  readonly policy: 'close' | 'skip' | 'latest'
  /** How much may be held back, in bytes of frames. A single message always may. */
  readonly maxBytes: number
  /** For how long a message may be held back, in milliseconds. */
  readonly maxAge: number
}

/** Whether it is one, with nothing else in it. What it leaves out has a default. */
export function isSlowPolicy(value: unknown): value is Partial<SlowPolicy> {
  if (typeof value !== 'object' || value === null) return false
  const { policy = 'close', maxBytes = 1, maxAge = 1, ...rest } = value as Partial<SlowPolicy>
  return (
    ['close', 'skip', 'latest'].includes(policy) &&
    isPositive(maxBytes) &&
    isPositive(maxAge) &&
    Object.keys(rest).length === 0
  )
}

export const DEFAULT_SLOW_POLICY: SlowPolicy = { policy: 'close', maxBytes: 2 ** 20, maxAge: 30_000 }

function isPositive(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1
}
