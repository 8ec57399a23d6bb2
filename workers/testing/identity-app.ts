import { threadId } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import { jwt } from '../../index.ts'
import { SECRET } from '../../routes/websocket/testing/tokens.ts'

// The app of the tests in which identities are reached on all workers. It logs its requests, as apps may.

export const options = { logger: true }

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.route('/live', {
    channels: ['ticks'],
    authenticate: jwt({ secret: SECRET, from: ['header', { cookie: 'sid' }, { query: 'token' }, 'message'] }),
    onOpen: (socket) => socket.send(JSON.stringify({ thread: threadId, id: socket.identity?.id }))
  })
  fastify.get('/send', async () => fastify.hub.sendTo('ann', 'hello'))
  fastify.get('/unsubscribe', async () => fastify.hub.unsubscribe('ann', 'ticks'))
  fastify.get('/disconnect', async () => fastify.hub.disconnect('ann', 4321, 'Bye'))
}
