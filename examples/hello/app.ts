import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Identity } from 'scherzo'
import { serveSite } from './site.ts'
import { startTicker } from './ticker.ts'

/** The demo: what `npm start` serves. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  // Fast routes: answered before any framework code runs.
  serveSite(fastify)
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
  fastify.hub.channel('chat', {
    subscribe: 'all',
    publish: 'all',
    history: { size: 100, age: 3600 },
    presence: true,
    maxMessageBytes: 2048
  })
  fastify.hub.channel('ticks', {
    subscribe: 'all',
    publish: 'none',
    history: { size: 2400, age: 600 },
    // Who reads too slowly gets the latest price of each instrument in place of all that were missed.
    key: 'instrument',
    slow: { policy: 'latest' }
  })
  fastify.hub.route('/live', { authenticate: visitor, presenceData: ({ data }) => data })
  await startTicker(fastify)
}

/** Who says who they are: this is a demo. Who gives no id is somebody else each time. */
function visitor({ query, id: requestId }: FastifyRequest): Identity {
  const { id = requestId, name = 'Guest' } = query as { readonly id?: string; readonly name?: string }
  return { id: String(id).slice(0, 64), data: { name: String(name).slice(0, 32) } }
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
