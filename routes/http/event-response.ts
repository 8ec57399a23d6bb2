import type { FastifyReply } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { EVENT_STREAM_TYPE } from '../../core/http/server-sent-event.ts'

/** A response whose head has been sent, and where its body goes. */
export interface BegunResponse {
  readonly response: ServerResponse
  readonly sink: Writable
}

/**
 * Sends the head of an event stream. Over HTTP/1 its body ends with the connection (RFC 9112 section 6.3), and goes straight to the
 * socket: what is fanned out is the same bytes for all, whatever is below.
 *
 * @returns null where the client has gone meanwhile; later where its connection still has other answers to come
 */
export function beginEvents(reply: FastifyReply): BegunResponse | null | Promise<BegunResponse | null> {
  const { raw: response } = reply
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value)
  }
  response.setHeader('content-type', EVENT_STREAM_TYPE)
  response.setHeader('cache-control', 'no-store')
  // nginx keeps a response back until it has a page of it.
  response.setHeader('x-accel-buffering', 'no')
  response.statusCode = 200
  return 'stream' in response ? beginOnStream(response) : beginOnSocket(response)
}

function beginOnStream(response: ServerResponse): BegunResponse | null {
  const { stream } = response as ServerResponse & { readonly stream: Writable | undefined }
  if (stream === undefined || stream.destroyed) return null
  response.flushHeaders()
  return { response, sink: stream }
}

function beginOnSocket(response: ServerResponse): BegunResponse | null | Promise<BegunResponse | null> {
  response.setHeader('connection', 'close')
  response.removeHeader('transfer-encoding')
  if (response.socket === null) return turnOf(response).then(() => onSocket(response))
  response.flushHeaders()
  return onSocket(response)
}

function onSocket(response: ServerResponse): BegunResponse | null {
  const { socket } = response
  if (socket === null || socket.destroyed) return null
  socket.setTimeout(0)
  return { response, sink: socket }
}

/** Of a request that came behind others on its connection: settles when these have been answered. */
function turnOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve)
    response.req.socket.once('close', resolve)
    response.write(':\n\n', () => resolve())
  })
}
