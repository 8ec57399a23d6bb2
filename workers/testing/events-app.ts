import { threadId } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import { jwt } from '../../index.ts'
import { SECRET } from '../../routes/websocket/testing/tokens.ts'

// The app of the tests in which clients follow channels as server-sent events.

export default async function app(fastify: FastifyInstance): Promise<void> {
  const kept = { history: { size: 10_000, age: 600 } }
  fastify.hub.channel('room:*', { ...kept, subscribe: 'all' })
  fastify.hub.channel('short', { history: { size: 2, age: 600 }, subscribe: 'all' })
  fastify.hub.channel('hall', { ...kept, presence: true, subscribe: 'identified' })
  fastify.hub.channel('latest', { ...kept, subscribe: 'all', slow: { policy: 'skip', maxBytes: 1000 } })
  fastify.addHook('onRequest', async (_request, reply) => {
    reply.header('x-thread', threadId)
  })
  const authenticate = jwt({ secret: SECRET, from: ['header', { query: 'token' }] })
  fastify.hub.eventsRoute('/events/:channel', { authenticate: 'none' })
  fastify.hub.eventsRoute('/events', { authenticate: 'none' })
  fastify.hub.eventsRoute('/mine/:channel', { authenticate })
  fastify.hub.eventsRoute('/both', { authenticate: 'none', channels: ['room:a', 'room:b'] })
  fastify.hub.historyRoute('/history/:channel', { authenticate: 'none' })
  fastify.hub.route('/live', { channels: ['room:1'] })
  fastify.post('/disconnect', async () => fastify.hub.disconnect('ann', 4321, 'Bye'))
  fastify.post('/unsubscribe', async () => fastify.hub.unsubscribe('ann', 'hall'))
  fastify.post('/send', async () => fastify.hub.sendTo('ann', new Uint8Array([1, 2, 255])))
  fastify.get('/page', async (_request, reply) =>
    reply.type('text/html').send('<!doctype html><title>Events</title>')
  )
  fastify.get('/die', { config: { inline: true } }, async ({ query }) => {
    if ((query as { readonly thread?: string }).thread !== String(threadId)) return 'another'
    setImmediate(() => {
      throw new Error('out of tea')
    })
    return threadId
  })
}
