import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/**
 * The app that the probe expects: `/` answers OK and sends a POST's body back, `/echo` the request's fields, `/cookie`
 * its cookies; any other path is OK too. `/` alone is a fast route, so both lanes are asked.
 */
export default async function app(fastify: FastifyInstance): Promise<void> {
  // The probe posts without a content type, which Fastify refuses with 415 unless a parser takes every type.
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  fastify.fast.text('/', 'OK')
  // One case announces a gigabyte that never comes; waiting for it passes in every edition of the probe, 413 in later ones.
  fastify.post('/', { bodyLimit: 2 ** 30 }, (request, reply) => text(reply, request.body ?? ''))
  fastify.options('*', options)
  fastify.all('/echo', (request, reply) => text(reply, fields(request)))
  fastify.all('/cookie', (request, reply) => text(reply, pairs(request.headers.cookie ?? '')))
  fastify.get('/*', (_request, reply) => text(reply, 'OK'))
}

function options(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(204).header('allow', 'GET, HEAD, POST, OPTIONS').send()
}

function text(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.type('text/plain').send(body)
}

function fields(request: FastifyRequest): string {
  const entries = Object.entries(request.headers)
  return entries.flatMap(([name, value]) => [value ?? ''].flat().map((each) => `${name}: ${each}\n`)).join('')
}

function pairs(cookie: string): string {
  const all = cookie.split(';').map((pair) => pair.trimStart())
  return all.flatMap((pair) => (pair.indexOf('=') > 0 ? [`${pair}\n`] : [])).join('')
}
