import type { FastifyReply } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { ScherzoError } from '../../core/errors.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { AcceptedHandshake, RefusedHandshake } from '../../core/websocket/handshake.ts'

/** When a client that found no room should try again, in seconds. */
const RETRY_AFTER = 5

/** Prepares the reply to a request that gets no WebSocket, and gives the error to throw: Fastify renders it as any other. */
export function refuse(
  reply: FastifyReply,
  reason: AcceptedHandshake | RefusedHandshake | 'plain' | 'busy'
): ScherzoError {
  if (reason === 'busy') {
    reply.headers({ connection: 'close', 'retry-after': RETRY_AFTER })
    return new ScherzoError('SCZ_ERR_WS_BUSY')
  }
  if (reason === 'plain' || reason.isAccepted) {
    // RFC 9110 section 15.5.22: the answer names the protocol.
    reply.headers({ connection: 'close, upgrade', upgrade: 'websocket' })
    return new ScherzoError('SCZ_ERR_WS_ONLY')
  }
  reply.headers(reason.headers)
  return new ScherzoError(reason.code)
}

/** The same for a client whose identity, or whose number of sockets, does not do. */
export function refuseIdentity(reply: FastifyReply, code: ErrorCode): ScherzoError {
  const error = new ScherzoError(code)
  reply.header('connection', 'close')
  // RFC 9110 section 15.5.2: the answer says how to authenticate.
  if (error.statusCode === 401) reply.header('www-authenticate', 'Bearer')
  if (error.statusCode === 429 || error.statusCode === 503) reply.header('retry-after', RETRY_AFTER)
  return error
}

/** @throws SCZ_ERR_WS_BODY, SCZ_ERR_WS_BODY_SIZE where the head announces a body */
export function checkBody({ headers }: IncomingMessage, reply: FastifyReply, limit: number): void {
  const length = Number(headers['content-length'] ?? 0)
  if (length === 0 && headers['transfer-encoding'] === undefined) return
  reply.header('connection', 'close')
  throw length > limit
    ? new ScherzoError('SCZ_ERR_WS_BODY_SIZE', [limit])
    : new ScherzoError('SCZ_ERR_WS_BODY')
}
