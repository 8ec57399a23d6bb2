import type { Socket } from 'node:net'
import { Outbox } from '../../core/broadcast/outbox.ts'
import type { Membership, SlowPolicy, Subscriptions } from '../../core/broadcast/subscriptions.ts'

/** A WebSocket of the `ws` library, as @fastify/websocket hands it to its handlers. */
export interface ForeignSocket {
  readonly readyState: number
  readonly OPEN: number
  close(code: number, reason: string): void
  once(event: 'close', listener: () => void): unknown
}

/**
 * Lets a socket of the `ws` library join the hub. Frames go to the connection under it, uncompressed, which is legal whatever was
 * agreed on. They keep their order among themselves, and stand between whole frames of what the app sends through `ws`:
 * that writes at once unless it compresses. An app that sends messages in fragments (`fin: false`) must not do so here.
 */
export function attachForeign(
  subscriptions: Subscriptions,
  ws: ForeignSocket,
  policy: SlowPolicy
): Membership | null {
  const { _socket: socket } = ws as ForeignSocket & { readonly _socket?: Socket | null }
  if (socket === null || socket === undefined || ws.readyState !== ws.OPEN) return null
  const membership = subscriptions.join(new ForeignOutbox(socket, ws), policy, ws)
  ws.once('close', () => membership.leave())
  return membership
}

/** Nothing may follow the close frame, and `ws` does not say when it sends one. */
class ForeignOutbox extends Outbox {
  readonly #ws: ForeignSocket

  constructor(socket: Socket, ws: ForeignSocket) {
    super(socket)
    this.#ws = ws
  }

  protected override isWritable(): boolean {
    return this.#ws.readyState === this.#ws.OPEN && super.isWritable()
  }
}
