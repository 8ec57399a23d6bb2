import { threadId } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import '../../index.ts'
import type { Since } from '../../index.ts'

// The app of the tests in which clients come back.

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.channel('room:*', { history: { size: 100_000, age: 600 } })
  fastify.hub.channel('room:short', { history: { size: 5, age: 600 } })
  fastify.hub.route('/back', {
    onOpen: (socket) => socket.send(JSON.stringify({ thread: threadId })),
    onMessage: async (socket, data) => {
      const { channel, since } = JSON.parse(String(data)) as { channel: string; since: Since | null }
      const outcome = await socket.subscribe(channel, since)
      socket.send(JSON.stringify({ outcome: outcome?.count ?? null }))
    }
  })
  fastify.get('/history/:channel', async (request) => {
    const { channel } = request.params as { channel: string }
    const { messages, ...rest } = await fastify.hub.history(channel)
    return { ...rest, count: messages.length, threadId }
  })
}
