import { STATUS_CODES, createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ScherzoError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { findFault } from '../core/http/strictness.ts'

/** The settings of a Fastify instance that its server needs, all in milliseconds. */
export interface MainLaneLimits {
  readonly connectionTimeout: number
  readonly keepAliveTimeout: number
  readonly requestTimeout: number
  /** 0 is no limit. */
  readonly maxRequestsPerSocket: number
}

/**
 * Makes the `node:http` server that Fastify runs on, set up as Fastify sets up its own, and refuses the malformed
 * requests that Node accepts before the app, or a library listening for upgrades, sees them.
 */
export function createMainLane(
  handler: RequestListener,
  options: ServerOptions,
  limits: MainLaneLimits
): Server {
  const server = createServer(options, (request, response) => {
    const fault = findFault(headOf(request))
    if (fault === null) handler(request, response)
    else refuse(response, fault)
  })
  server.keepAliveTimeout = limits.keepAliveTimeout
  server.requestTimeout = limits.requestTimeout
  server.setTimeout(limits.connectionTimeout)
  if (limits.maxRequestsPerSocket > 0) server.maxRequestsPerSocket = limits.maxRequestsPerSocket
  guardOtherEvents(server)
  return server
}

/** Upgrades and the like come as events of their own, to listeners that we do not know. */
function guardOtherEvents(server: Server): void {
  const emit = server.emit as (this: Server, event: string, ...values: unknown[]) => boolean
  server.emit = function (this: Server, event: string, ...values: unknown[]): boolean {
    if (event === 'upgrade' || event === 'checkContinue' || event === 'checkExpectation') {
      const [request, target] = values as [IncomingMessage, ServerResponse | Duplex]
      const fault = findFault(headOf(request))
      if (fault !== null) {
        if ('writeHead' in target) refuse(target, fault)
        else refuseUpgrade(target, fault)
        return true
      }
    }
    return emit.call(this, event, ...values)
  }
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
  const { status, body } = answerTo(code)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close'
  })
  response.end(body)
}

function refuseUpgrade(socket: Duplex, code: ErrorCode): void {
  const { status, body } = answerTo(code)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  )
}

/** In the form of Fastify's own errors. */
function answerTo(code: ErrorCode): { status: number; body: string } {
  const { message, statusCode } = new ScherzoError(code)
  const status = statusCode ?? 400
  return { status, body: JSON.stringify({ statusCode: status, code, error: STATUS_CODES[status], message }) }
}
