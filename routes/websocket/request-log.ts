import type { FastifyRequest } from 'fastify'

/** A request as Fastify logs it, but for its query. */
export function withoutQuery(request: FastifyRequest): Record<string, unknown> {
  return {
    method: request.method,
    url: request.url.split('?', 1)[0],
    host: request.host,
    remoteAddress: request.ip,
    remotePort: request.socket.remotePort
  }
}
