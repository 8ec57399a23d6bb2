import type { FastifyRequest } from 'fastify'
import type { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import type { ChannelAction, Identity } from './identity.ts'

/** A WebSocket as the handlers of its route see it. */
export interface HubSocket {
  /** The request that it began with, as the hooks of the route left it. */
  readonly request: FastifyRequest
  /** Who is at the other end; null on routes without `authenticate`. */
  readonly identity: Identity | null
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
  /**
   * Subscribes at once, or when the rule of the channel and `authorize` have said yes; resolves when it gets what is published from then on. What it rejects with is for the handler that awaits or returns it: a
   * handler that fails with SCZ_ERR_IDENTITY_SUBSCRIBE ends the socket with 1008. Where nobody looks, nothing happens.
   *
   * @throws SCZ_ERR_HUB_CHANNEL at once, or by the promise where `authorize` takes its time; SCZ_ERR_IDENTITY_SUBSCRIBE by the
   *   promise
   */
  subscribe(channel: string): Promise<void>
  /** The same, and first catches up with what was published after `since`; see `Membership`. */
  subscribe(channel: string, since: Since | null): Promise<Recovered | null>
  /** Also calls off what `authorize` has not decided about. */
  unsubscribe(channel: string): void
  /**
   * Tells the client who is in the channel, and then who joins and leaves, if the rule of the channel and `authorize` let it.
   * The rule has to have presence; the socket need not be subscribed to it. Where nobody looks at what it rejects with, nothing happens.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE, SCZ_ERR_IDENTITY_PRESENCE, all by the promise
   */
  watchPresence(channel: string): Promise<void>
  /** Also calls off what `authorize` has not decided about. */
  unwatchPresence(channel: string): void
  /** What the rule of the channel and `authorize` say; true where neither says anything. */
  may(action: ChannelAction, channel: string): Promise<boolean>
  /**
   * Puts a later expiry, or other data, in the place of the identity. Its subscriptions stay.
   *
   * @throws SCZ_ERR_IDENTITY_RENEW for somebody else's id, an identity that has expired or a socket without one;
   *   SCZ_ERR_IDENTITY_VALUE
   */
  renew(identity: Identity): void
  /**
   * The same with a token, on routes that authenticate with tokens. A handler that fails with what it rejects with ends the
   * socket with 4003. Where nobody looks, nothing happens.
   *
   * @throws SCZ_ERR_IDENTITY_TOKEN, SCZ_ERR_IDENTITY_RENEW, SCZ_ERR_IDENTITY_UNAVAILABLE, by the promise
   */
  renewWith(token: string): Promise<void>
}
