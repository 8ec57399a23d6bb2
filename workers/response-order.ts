import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

const latest = Symbol('scherzo.latestResponse')

interface OrderedSocket extends Duplex {
  [latest]?: OrderedResponse | null
}

/**
 * A response that knows which unfinished one it follows on its connection. Node writes its answer to a malformed request
 * at once, over the heads of pipelined requests that are still being answered; {@link afterResponse} puts it behind them.
 */
export class OrderedResponse<
  Request extends IncomingMessage = IncomingMessage
> extends ServerResponse<Request> {
  /** Set only while that one is unfinished, so that a chain never holds more than the client has pipelined. */
  readonly earlier: OrderedResponse | null

  constructor(...values: ConstructorParameters<typeof ServerResponse<Request>>) {
    super(...values)
    const socket = values[0].socket as OrderedSocket
    const before = socket[latest] ?? null
    this.earlier = before === null || before.closed ? null : before
    socket[latest] = this
  }

  /** Called by Node when the response is through: an idle connection holds on to nothing. */
  override detachSocket(socket: Socket): void {
    super.detachSocket(socket)
    if ((socket as OrderedSocket)[latest] === this) (socket as OrderedSocket)[latest] = null
  }
}

/**
 * The last response that a socket owes for the requests before an error, or null. A request that is malformed in its body
 * will not be answered any more, unless it has been.
 */
export function lastOwed(socket: Duplex): OrderedResponse | null {
  const last = (socket as OrderedSocket)[latest] ?? null
  return last === null || last.req.complete || last.writableEnded ? last : last.earlier
}

/** Acts when a response is through: at once where there is none, and not at all when its connection ends before. */
export function afterResponse(response: OrderedResponse | null, act: () => void): void {
  if (response === null || response.closed) return act()
  // Node may have let go of the socket by now: somebody has to hear of its errors.
  const { socket } = response.req
  socket.on('error', ignore)
  response.once('close', () => {
    socket.off('error', ignore)
    if (!socket.destroyed) act()
  })
}

/**
 * Acts when what was written before has been handed to the operating system, for what ends a socket at once. Over TLS, or with
 * a slow client, the answers of the fast lane may still be on their way.
 */
export function afterWrites(socket: Duplex, act: () => void): void {
  if (socket.writableLength === 0) return act()
  socket.write('', () => {
    if (!socket.destroyed) act()
  })
}

function ignore(): void {}
