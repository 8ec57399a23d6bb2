import type { FastifyInstance } from 'fastify'
import { jwt } from '../../index.ts'
import { SECRET } from '../../routes/websocket/testing/tokens.ts'

// The app of the tests in which back ends publish and read over HTTP.

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.channel('ticks', { history: { size: 5, age: 600 }, maxMessageBytes: 1000 })
  fastify.hub.channel('secret', { publish: 'none', subscribe: async () => false })
  fastify.hub.channel('broken', {
    publish: () => {
      throw new Error('out of tea')
    }
  })
  const authenticate = jwt({ secret: SECRET, from: ['header', { query: 'token' }] })
  fastify.hub.publishRoute('/publish', {
    authenticate,
    authorize: (identity, channel) => channel !== `not:${identity?.id}`,
    maxMessages: 40,
    bodyLimit: 10_000
  })
  fastify.hub.historyRoute('/history/:channel', { authenticate, maxMessages: 50 })
  fastify.hub.historyRoute('/open/*', { authenticate: 'none' })
  fastify.hub.publishRoute('/rated', { authenticate: 'none', messagesPerSecond: 1, messageBurst: 2 })
  fastify.hub.route('/live', { channels: ['ticks', 'other'] })
  fastify.post('/inject', async (request) => {
    const { authorization } = request.headers
    const headers = authorization === undefined ? {} : { authorization }
    const published = await fastify.inject({
      method: 'POST',
      url: '/publish',
      payload: { channel: 'ticks', data: 1 },
      headers
    })
    const history = await fastify.inject({ url: '/history/ticks', headers })
    return { published: published.json(), history: history.json(), status: published.statusCode }
  })
  fastify.post('/bytes', async () => fastify.hub.publish('ticks', new Uint8Array([1, 2, 255]), { key: 'k' }))
}
