import { createServer } from 'node:https'
import type { Server as HttpsServer } from 'node:https'
import type { Server, ServerOptions } from 'node:http'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Http2Lane } from './http2-lane.ts'
import type { LaneState } from './lane-state.ts'
import type { TlsMaterial } from './messages.ts'

/** The longest that a timer of Node can wait, for where there is no limit. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** Emitted by a TLS server for each connection that has chosen HTTP/1.1, or nothing. */
const HTTP_CONNECTION = 'scherzoHttpConnection'

/** The event with which a server gets the connections that it serves HTTP/1.1 on. */
export function httpEventOf(server: Server): string {
  return server instanceof TlsServer ? HTTP_CONNECTION : 'connection'
}

/** Makes the server of the main lane for TLS: HTTP/2, where the client chooses it, goes to a lane of its own. */
export function createTlsServer(
  options: ServerOptions,
  material: TlsMaterial,
  state: LaneState,
  http2: Http2Lane
): HttpsServer {
  const server = createServer({
    ...options,
    cert: material.cert,
    key: material.key,
    ticketKeys: Buffer.from(material.ticketKeys),
    ALPNProtocols: material.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    minVersion: 'TLSv1.2',
    handshakeTimeout: state.limits.headersTimeout || LONGEST_TIMEOUT
  })
  divideByProtocol(server, http2)
  endFailedHandshakes(server, state)
  closeTogether(server, http2)
  return server
}

function divideByProtocol(server: HttpsServer, http2: Http2Lane): void {
  const serveHttp = server.listeners('secureConnection')[0] as (socket: TLSSocket) => void
  server.removeListener('secureConnection', serveHttp)
  server.on(HTTP_CONNECTION, serveHttp)
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === 'h2') http2.accept(socket)
    else server.emit(HTTP_CONNECTION, socket)
  })
}

/** Node would report them as errors of an HTTP client; but nobody is there who could read an answer. */
function endFailedHandshakes(server: HttpsServer, { stats }: LaneState): void {
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') stats.count('connectionsTimedOut')
    socket.destroy()
  })
}

/** Makes Node's ways to close connections, and the one that Fastify looks for, heed those that Node does not know of. */
function closeTogether(server: HttpsServer, http2: Http2Lane): void {
  // All of them, because those in the middle of their handshake are listed nowhere else.
  const sockets = new Set<Socket>()
  const forget = function (this: Socket): void {
    sockets.delete(this)
  }
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', forget)
  })
  const closeIdle = server.closeIdleConnections.bind(server)
  Object.assign(server, {
    closeHttp2Sessions: () => http2.close(),
    closeIdleConnections() {
      closeIdle()
      http2.close()
    },
    closeAllConnections() {
      for (const socket of sockets) socket.destroy()
    }
  })
}
