import { threadId } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import '../../index.ts'

// The app of the tests in which messages are published to real WebSockets.

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.route('/news', {
    channels: ['news'],
    onOpen: (socket) => socket.send(JSON.stringify({ thread: threadId }))
  })
  fastify.hub.route('/crowd', { channels: ['news'] })
  fastify.hub.route('/skipping', { channels: ['news'], slow: { policy: 'skip', maxBytes: 100_000 } })
  fastify.get('/publish', async () => fastify.hub.publish('news', 'again'))
  fastify.get('/subscribers', async () => (await fastify.hub.channels()).get('news') ?? 0)
  fastify.get('/thread', async () => threadId)
  fastify.get('/fail', async (_request, reply) => {
    reply.raw.once('finish', () => {
      setImmediate(() => {
        throw new Error('a mistake of the app')
      })
    })
    return threadId
  })
}
