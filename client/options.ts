import type { Position } from './contract.ts'
import type { Presence } from './presence.ts'

/** A value, or a function that is asked for one, newly for each attempt to connect. */
export type Source<Value> = Value | (() => Value | Promise<Value>)

export interface ClientOptions {
  /**
   * For routes that take tokens in the first message. A function is asked again when the token is about to expire, has
   * expired or was refused; a string can't be renewed. @default none: cookies, or a token in the URL
   */
  readonly token?: Source<string>
  /**
   * Attempts wait for a random time below a limit, which begins at `initial` and doubles up to `max`, both in
   * milliseconds. @default { initial: 500, max: 30_000 }
   */
  readonly backoff?: { readonly initial?: number; readonly max?: number }
  /** How long an attempt to connect may take, in milliseconds. @default 10_000 */
  readonly connectTimeout?: number
  /**
   * After so long without a word from the server it is asked whether it is there, in milliseconds.
   * @default the interval of the server's pings
   */
  readonly heartbeat?: number
  /** How many requests may wait for the connection, or for their answer; more are rejected. @default 1000 */
  readonly queue?: number
  /** The class of WebSockets. @default that of the browser or of Node */
  readonly WebSocket?: WebSocketClass
}

export type WebSocketClass = new (url: string, protocols: string[]) => SocketLike

/** What the client needs of a WebSocket. */
export interface SocketLike {
  readonly protocol: string
  binaryType: string
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void
  ): void
  send(data: string): void
  close(code?: number, reason?: string): void
}

export interface SubscribeOptions {
  /**
   * Where the program has been, from a `position` that it has kept: what came after it comes first.
   * @default what is published from now on
   */
  readonly since?: Position
  /** Is called with who is in the channel, at first and after every change. @default nobody asks */
  readonly presence?: (presence: Presence) => void
  /** How many messages may wait for a `for await` loop. @default 1000 */
  readonly buffer?: number
  /**
   * What becomes of a full buffer: `end` ends the subscription and the loop throws SCZ_ERR_CLIENT_BUFFER, `skip` drops the
   * oldest message and tells of it by the event `skipped`. @default 'end'
   */
  readonly overflow?: 'end' | 'skip'
}

export async function valueOf<Value extends string>(source: Source<Value>): Promise<Value> {
  return typeof source === 'function' ? source() : source
}
