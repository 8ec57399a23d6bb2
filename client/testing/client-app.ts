import type { FastifyInstance } from 'fastify'
import { jwt } from '../../index.ts'
import { SECRET } from '../../routes/websocket/testing/tokens.ts'

// The app of the tests of the client against the real server. Everybody may do everything, but "closed" is closed.

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.channel('room:*', { history: { size: 10_000, age: 600 } })
  fastify.hub.channel('ticks', { history: { size: 10_000, age: 600 } })
  fastify.hub.route('/live', { channels: ['ticks'], authorize })
  fastify.hub.route('/token', {
    authenticate: jwt({ secret: SECRET, from: ['message'] }),
    authorize,
    onOpen: (socket) => socket.send('hello')
  })
  fastify.post('/fail', async () => {
    setImmediate(() => {
      throw new Error('a mistake of the app')
    })
    return {}
  })
}

async function authorize(_identity: unknown, channel: string): Promise<boolean> {
  return channel !== 'closed'
}
