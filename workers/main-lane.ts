import { STATUS_CODES, createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../core/errors.ts'
import { findFault } from '../core/http/strictness.ts'
import { Http2Lane } from './http2-lane.ts'
import { laneResponseFor, requestsOf } from './lane-response.ts'
import type { LaneState } from './lane-state.ts'
import type { TlsMaterial } from './messages.ts'
import { refusalFor } from './refusal.ts'
import { afterResponse, afterWrites, lastOwed } from './response-order.ts'
import type { OrderedResponse } from './response-order.ts'
import { createTlsServer } from './tls-lane.ts'

/** How often Node looks for requests that take too long to arrive, in milliseconds. */
const CHECKING_INTERVAL = 500

/**
 * Makes the `node:http` or `node:https` server that Fastify runs on, with the limits of the worker, and refuses the malformed requests that
 * Node accepts before the app, or a library listening for upgrades, sees them.
 */
export function createMainLane(
  handler: RequestListener,
  options: ServerOptions,
  state: LaneState,
  tls: TlsMaterial | null
): Server {
  const { limits, stats } = state
  const withLimits = {
    connectionsCheckingInterval: CHECKING_INTERVAL,
    ...options,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    // Node has this since 24.9; before, it reports every upgrade as soon as anybody listens.
    shouldUpgradeCallback: (request: IncomingMessage): boolean =>
      state.upgrades?.shouldUpgrade(request) ?? server.listenerCount('upgrade') > 0,
    ServerResponse: laneResponseFor(state)
  }
  const server: Server =
    tls === null
      ? createServer(withLimits)
      : createTlsServer(withLimits, tls, state, new Http2Lane(handler, state))
  server.on('request', (request, response) => {
    // The client was told that its connection closes before it had an answer to this one.
    if (limits.maxRequests > 0 && requestsOf(request.socket) > limits.maxRequests) return
    const fault = findFault(headOf(request))
    if (fault === null) handler(request, response)
    else refuse(response, fault)
  })
  server.setTimeout(limits.connectionTimeout)
  server.maxConnections = limits.maxConnections
  server.on('connection', () => stats.count('connections'))
  server.on('drop', () => stats.count('connectionsRefused'))
  server.on('clientError', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') stats.count('connectionsTimedOut')
  })
  guardOtherEvents(server, state)
  return server
}

const GUARDED = new Set(['checkContinue', 'checkExpectation', 'upgrade', 'connect', 'clientError'])

/**
 * What does not come as a request comes as an event, to listeners that we do not know. All but the refused wait for the
 * responses before them: Node reports them at once, even while it still owes these to the client.
 */
function guardOtherEvents(server: Server, state: LaneState): void {
  const emit = server.emit as (this: Server, event: string, ...values: unknown[]) => boolean
  const failed = new WeakSet<Duplex>()
  addDefaults(server)

  server.emit = function (this: Server, event: string, ...values: unknown[]): boolean {
    if (!GUARDED.has(event)) return emit.call(this, event, ...values)
    const pass = (): boolean => emit.call(this, event, ...values)
    switch (event) {
      case 'checkContinue':
      case 'checkExpectation': {
        const [request, response] = values as [IncomingMessage, OrderedResponse]
        const fault = findFault(headOf(request))
        if (fault === null) afterResponse(response.earlier, pass)
        else refuse(response, fault)
        return true
      }
      case 'upgrade': {
        const [request, socket, head] = values as [IncomingMessage, Duplex, Buffer]
        state.addUpgraded(socket)
        const fault = findFault(headOf(request))
        const take = (): unknown =>
          state.upgrades === null ? pass() : state.upgrades.handleUpgrade(request, head, pass)
        afterResponse(lastOwed(socket), fault === null ? take : () => refuseUpgrade(socket, fault))
        return true
      }
      case 'connect': {
        const [, socket] = values as [IncomingMessage, Duplex]
        state.addUpgraded(socket)
        afterResponse(lastOwed(socket), () => afterWrites(socket, pass))
        return true
      }
      case 'clientError': {
        const [, socket] = values as [Error, Duplex]
        // The bytes behind an error are errors again.
        if (failed.has(socket)) return true
        failed.add(socket)
        const owed = lastOwed(socket)
        if (owed !== null && !owed.closed) socket.pause()
        afterResponse(owed, () => afterWrites(socket, pass))
        return true
      }
      default:
        return pass()
    }
  }
}

/**
 * What Node does where an app does not listen for an event, done by listeners, so that it can wait: Node itself would destroy
 * the socket of a CONNECT with unsent responses on it, and send 100 (Continue) in the middle of a queued response.
 */
function addDefaults(server: Server): void {
  server.on('connect', (_request, socket) => {
    if (server.listenerCount('connect') === 1) socket.destroy()
  })
  server.on('checkContinue', (request, response) => {
    if (server.listenerCount('checkContinue') > 1) return
    response.writeContinue()
    server.emit('request', request, response)
  })
}

function headOf(request: IncomingMessage): Parameters<typeof findFault>[0] {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    version: request.httpVersion,
    rawHeaders: request.rawHeaders
  }
}

function refuse(response: ServerResponse, code: ErrorCode): void {
  const { status, headers, body } = refusalFor(code)
  response.writeHead(status, { ...headers, connection: 'close' })
  response.end(body)
}

function refuseUpgrade(socket: Duplex, code: ErrorCode): void {
  const { status, headers, body } = refusalFor(code)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}Connection: close\r\n\r\n${body}`
  )
}
