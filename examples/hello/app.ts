import type { FastifyInstance } from 'fastify'
import 'scherzo'
import { page } from './page.ts'

/** The demo: what `npm start` serves. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  // Fast routes: answered before any framework code runs.
  fastify.fast.html('/', { cacheControl: 'no-cache' }, page)
  fastify.fast.text('/plaintext', 'Hello, World!')
  fastify.fast.json('/json', { schema: message }, () => ({ message: 'Hello, World!' }))

  // Ordinary Fastify, unchanged.
  fastify.get('/users/:id', { schema: { params: userParams, response: { 200: user } } }, async (request) => {
    const { id } = request.params as { id: number }
    return { id, name: `User ${id}` }
  })
  await fastify.register(echo)
}

const message = {
  type: 'object',
  properties: { message: { type: 'string' } },
  required: ['message']
}

const userParams = {
  type: 'object',
  properties: { id: { type: 'integer', minimum: 1 } },
  required: ['id']
}

const user = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: { type: 'string' } },
  required: ['id', 'name']
}

/** Gives bodies back as they came; a plugin of its own, so that only its routes take every content type. */
async function echo(fastify: FastifyInstance): Promise<void> {
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  for (const path of ['/', '/echo']) {
    fastify.post(path, async (request, reply) => {
      reply.header('x-content-type-options', 'nosniff')
      reply.type(request.headers['content-type'] ?? 'application/octet-stream')
      return request.body ?? ''
    })
  }
}
