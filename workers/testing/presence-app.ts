import { threadId } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import '../../index.ts'

// The app of the tests in which clients see who is in a channel. Who connects is what the query says.

interface Order {
  readonly do: 'subscribe' | 'unsubscribe' | 'watch' | 'unwatch' | 'rename' | 'fail'
  readonly channel: string
}

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.channel('room:*', { presence: { interval: 100 } })
  fastify.hub.channel('slow:*', { presence: { interval: 4000 } })
  fastify.hub.channel('crowd', { presence: { maxMembers: 10, interval: 20 } })
  fastify.hub.route('/live', {
    authenticate: (request) => {
      const { id, name } = request.query as { readonly id?: string; readonly name?: string }
      return id === undefined ? null : { id, data: { name, secret: 'of the app' } }
    },
    presenceData: ({ data }) => {
      const { name } = data as { readonly name?: string }
      return name === undefined ? null : { name }
    },
    authorize: (_identity, channel, action) => action !== 'presence' || channel !== 'room:closed',
    slow: { policy: 'skip', maxBytes: 300 },
    onOpen: (socket) => socket.send(JSON.stringify({ thread: threadId })),
    onMessage: async (socket, message) => {
      const { do: action, channel } = JSON.parse(String(message)) as Order
      if (action === 'subscribe') await socket.subscribe(channel)
      else if (action === 'unsubscribe') socket.unsubscribe(channel)
      else if (action === 'watch') await socket.watchPresence(channel)
      else if (action === 'unwatch') socket.unwatchPresence(channel)
      else if (action === 'fail') setImmediate(fail)
      else socket.renew({ ...socket.identity!, data: { name: channel } })
      socket.send(JSON.stringify({ done: action }))
    }
  })
  fastify.hub.route('/anonymous', {
    channels: ['room:a'],
    onMessage: (socket, message) => socket.watchPresence(String(message))
  })
  fastify.get('/presence/:channel', async (request) => {
    const { channel } = request.params as { readonly channel: string }
    return fastify.hub.presence(channel)
  })
}

function fail(): never {
  throw new Error('a mistake of the app')
}
