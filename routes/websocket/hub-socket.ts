import type { FastifyRequest } from 'fastify'
import type { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'

/** A WebSocket as the handlers of its route see it. */
export interface HubSocket {
  /** The request that it began with, as the hooks of the route left it. */
  readonly request: FastifyRequest
  /** The subprotocol that was chosen, or null. */
  readonly protocol: string | null
  /** Takes frames that are composed already. */
  readonly outbox: Outbox
  /** Bytes that were sent and that the client has not taken. */
  readonly bufferedAmount: number
  /**
   * Sends a message; on a socket that is closing or closed, nothing happens.
   *
   * @param isBinary by default, a string is text and bytes are binary
   */
  send(data: string | Uint8Array, isBinary?: boolean): void
  /**
   * Begins the close handshake. Messages that arrive after this are not handed to `onMessage`.
   *
   * @throws SCZ_ERR_WS_CLOSE_CODE for a code that must not be sent
   */
  close(code?: number, reason?: string): void
  subscribe(channel: string): void
  /** Subscribes, and first catches up with what was published after `since`; see `Membership`. */
  subscribe(channel: string, since: Since | null): Promise<Recovered | null>
  unsubscribe(channel: string): void
}
