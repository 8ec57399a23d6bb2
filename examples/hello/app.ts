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

  // WebSockets: every message of a channel reaches its subscribers on every worker.
  fastify.hub.route('/echo', {
    maxMessageBytes: 16 * 2 ** 20,
    maxFragments: 131_072,
    onMessage: (socket, data, isBinary) => socket.send(data, isBinary)
  })
  fastify.hub.route('/live', {
    channels: ['ticks', 'chat'],
    maxMessageBytes: 1024,
    onMessage: async (_socket, text, isBinary) => {
      if (!isBinary) await fastify.hub.publish('chat', { text })
    }
  })
  startTicker(fastify)
}

/** One tick a second, from whichever worker is the first to miss it: each has its own copy of this app, and some may die. */
function startTicker(fastify: FastifyInstance): void {
  let lastTick = 0
  let ticks = 0
  fastify.hub.subscribe('ticks', () => {
    lastTick = Date.now()
  })
  const timer = setInterval(
    () => {
      if (Date.now() - lastTick < 1000) return
      lastTick = Date.now()
      // The server may be closing by now.
      fastify.hub.publish('ticks', { at: new Date().toISOString(), ticks: ++ticks }).catch(() => {})
    },
    50 + Math.random() * 50
  )
  fastify.addHook('preClose', async () => clearInterval(timer))
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
