import { threadId } from 'node:worker_threads'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import '../../index.ts'
import type { Identity } from '../../index.ts'
import { HISTORY_SIZES, POLICIES, ROUTE_KIND, channelOf } from './plan.ts'

// The app of the randomised test: a route for each policy, channels with much, little and no history, and workers that die
// when they are told to.

export default async function app(fastify: FastifyInstance): Promise<void> {
  for (const [kind, size] of Object.entries(HISTORY_SIZES)) {
    if (size > 0) fastify.hub.channel(`${kind}:*`, { history: { size, age: 3600 } })
  }
  for (const policy of POLICIES) {
    fastify.hub.route(`/${policy}`, {
      channels: ({ headers }) => [channelOf(ROUTE_KIND, Number(headers['x-world']))],
      authenticate: byHeader,
      authorize: async () => true,
      slow: { policy, maxBytes: 200_000, maxAge: 3_600_000 },
      onOpen: (socket) => socket.send(JSON.stringify({ thread: threadId }))
    })
  }
  fastify.get('/kill/:thread/:how', async (request, reply) => {
    const { thread, how } = request.params as { thread: string; how: string }
    if (thread !== String(threadId)) return reply.code(404).send()
    setImmediate(() => {
      if (how === 'exit') process.exit(1)
      throw new Error('a mistake of the app')
    })
    return reply.send()
  })
}

function byHeader({ headers }: FastifyRequest): Identity {
  return { id: String(headers['x-user']) }
}
