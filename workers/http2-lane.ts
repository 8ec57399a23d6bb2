import { maxHeaderSize } from 'node:http'
import { createServer, constants } from 'node:http2'
import type { Http2Server, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { findHttp2Fault } from '../core/http/strictness.ts'
import { Http2Connection } from './http2-connection.ts'
import { Http2LaneRequest, Http2LaneResponse } from './http2-messages.ts'
import type { LaneState } from './lane-state.ts'
import { refusalFor } from './refusal.ts'

/** Requests that one connection may have open: what RFC 9113 section 6.5.2 calls enough, with some room. */
const MAX_STREAMS = 128

/** In megabytes, Node's own default: what a session may hold in headers, settings and unsent data before it refuses streams. */
const MAX_SESSION_MEMORY = 10

/** How often connections are looked through for those that take too long, in milliseconds. */
const CHECKING_INTERVAL = 500

/** RFC 9113 section 6.5.2 counts as many bytes for each header on top of its name and value. */
const HEADER_OVERHEAD = 32

/** Serves HTTP/2 to the app, on connections that another server has accepted. */
export class Http2Lane {
  readonly #server: Http2Server
  readonly #handler: RequestListener
  readonly #state: LaneState
  readonly #connections = new Set<Http2Connection>()
  /** Runs while there are connections: one timer, however many they are. */
  #timer: NodeJS.Timeout | null = null

  constructor(handler: RequestListener, state: LaneState) {
    this.#handler = handler
    this.#state = state
    // Node's protection against rapid resets and floods of control frames is on by default.
    this.#server = createServer({
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: maxHeaderSize },
      maxHeaderListPairs: Math.ceil(maxHeaderSize / HEADER_OVERHEAD),
      maxSessionMemory: MAX_SESSION_MEMORY,
      Http2ServerRequest: Http2LaneRequest,
      Http2ServerResponse: Http2LaneResponse as typeof Http2ServerResponse
    })
    this.#server.setTimeout(state.limits.connectionTimeout)
    this.#server.on('request', (request, response) => this.#serve(request, response, false))
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response, true))
  }

  accept(socket: TLSSocket): void {
    if (socket.destroyed) return
    this.#server.once('session', (session) => {
      const connection = new Http2Connection(session, socket, this.#state)
      this.#connections.add(connection)
      socket.once('close', () => this.#connections.delete(connection))
    })
    this.#server.emit('connection', socket)
    this.#timer ??= setInterval(() => this.#check(), CHECKING_INTERVAL).unref()
  }

  /** Tells every client that its connection takes no more requests, and ends each when those it has are answered. */
  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  #serve(request: Http2ServerRequest, response: Http2ServerResponse, mustContinue: boolean): void {
    const { headers, stream } = request
    if (headers[':scheme'] !== 'https' && headers[':scheme'] !== 'http') {
      // nghttp2 checks the path of these two only.
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
      return
    }
    const authority = headers[':authority']
    const fault = findHttp2Fault({
      method: request.method,
      target: request.url,
      authority: authority ?? null,
      host: headers.host ?? null
    })
    if (fault !== null) {
      const { status, headers: sent, body } = refusalFor(fault)
      response.writeHead(status, sent)
      response.end(body)
      return
    }
    // Apps know one name for it.
    if (authority !== undefined) headers.host ??= authority
    if (mustContinue) response.writeContinue()
    this.#handler(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  }

  #check(): void {
    const now = performance.now()
    for (const connection of this.#connections) connection.check(now)
    if (this.#connections.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }
}
