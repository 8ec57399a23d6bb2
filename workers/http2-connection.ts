import { constants } from 'node:http2'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { requestOf } from './http2-messages.ts'
import type { LaneState } from './lane-state.ts'

/** A request that is not through. */
interface OpenStream {
  readonly startedAt: number
  /** Whether it was given up because its body takes too long to arrive. */
  isTooLate: boolean
}

/**
 * One connection that speaks HTTP/2. It counts its requests, and is held to the limits that `node:http` has and `node:http2`
 * lacks. Times are in milliseconds.
 */
export class Http2Connection {
  readonly #session: ServerHttp2Session
  readonly #socket: TLSSocket
  readonly #state: LaneState
  readonly #streams = new Map<ServerHttp2Stream, OpenStream>()
  #requests = 0
  /** When it was last busy, or told to end. */
  #idleSince: number
  /** What had been sent when the client was last seen to take anything, and when that was. */
  #written = 0
  #writtenAt: number

  constructor(session: ServerHttp2Session, socket: TLSSocket, state: LaneState) {
    const now = performance.now()
    this.#session = session
    this.#socket = socket
    this.#state = state
    this.#idleSince = now
    this.#writtenAt = now
    // Before the listener that starts the handler.
    session.prependListener('stream', (stream) => this.#add(stream))
  }

  /** Lets it finish the requests that it has, and tells the client that it takes no more (GOAWAY). */
  close(): void {
    if (this.#session.closed || this.#session.destroyed) return
    this.#idleSince = performance.now()
    this.#session.close()
  }

  /** Ends what has taken too long: the connection, or the arrival of a body. */
  check(now: number): void {
    if (this.#streams.size === 0) return this.#checkIdle(now)
    if (this.#isStalled(now)) {
      this.#socket.destroy()
      return
    }
    for (const [stream, open] of this.#streams) this.#checkArrival(stream, open, now)
  }

  #add(stream: ServerHttp2Stream): void {
    const { limits } = this.#state
    const startedAt = performance.now()
    if (this.#streams.size === 0) this.#writtenAt = startedAt
    this.#streams.set(stream, { startedAt, isTooLate: false })
    this.#state.openRequests++
    this.#requests++
    stream.once('close', () => this.#remove(stream, startedAt))
    const isLast = limits.maxRequests > 0 && this.#requests >= limits.maxRequests
    if (isLast || this.#state.isDraining) this.close()
  }

  #remove(stream: ServerHttp2Stream, startedAt: number): void {
    const now = performance.now()
    this.#streams.delete(stream)
    this.#idleSince = now
    this.#state.openRequests--
    const status = stream.sentHeaders?.[':status']
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR && status !== undefined)
      this.#state.stats.countRequests('main', Number(status), (now - startedAt) / 1000, 1)
  }

  #checkIdle(now: number): void {
    const { headersTimeout, keepAliveTimeout, sendTimeout } = this.#state.limits
    const waited = now - this.#idleSince
    if (this.#session.closed || this.#session.destroyed) {
      // Node waits for the client to close its side, too.
      if (isOver(waited, sendTimeout)) this.#socket.destroy()
    } else if (isOver(waited, this.#requests > 0 ? keepAliveTimeout : headersTimeout)) {
      this.close()
    }
  }

  /** Whether a response waits for a client that takes nothing, by the window of the stream or by that of TCP. */
  #isStalled(now: number): boolean {
    const { bytesWritten } = this.#socket
    const hasUnsent = [...this.#streams.keys()].some((stream) => stream.writableLength > 0)
    if (hasUnsent && bytesWritten === this.#written)
      return isOver(now - this.#writtenAt, this.#state.limits.sendTimeout)
    this.#written = bytesWritten
    this.#writtenAt = now
    return false
  }

  #checkArrival(stream: ServerHttp2Stream, open: OpenStream, now: number): void {
    if (!isOver(now - open.startedAt, this.#state.limits.requestTimeout) || hasArrived(stream)) return
    if (open.isTooLate) {
      // The app has not answered when it was told, or had answered before.
      stream.close(stream.writableFinished ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL)
      return
    }
    open.isTooLate = true
    this.#state.stats.count('connectionsTimedOut')
    // As `node:http` calls it; Fastify answers with the status.
    const error = Object.assign(new Error('Request timeout'), {
      code: 'ERR_HTTP_REQUEST_TIMEOUT',
      statusCode: 408
    })
    requestOf(stream)?.fail(error)
  }
}

/** Whether the client has sent all of a request, read by the app or not. */
function hasArrived(stream: ServerHttp2Stream): boolean {
  return stream.endAfterHeaders || stream.readableEnded || stream.state.remoteClose === 1
}

function isOver(waited: number, limit: number): boolean {
  return limit > 0 && waited >= limit
}
