import { setTimeout as delay } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import '../../index.ts'

// The app of the tests in which workers die, drain and are replaced under load.

const large = Buffer.alloc(8_000_000)

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/plaintext', 'Hello, World!')
  fastify.fast.bytes('/large-fast', large)
  fastify.addHook('onClose', async () => {
    console.log('the close hook ran')
  })
  await fastify.register(async (main) => {
    main.addHook('onRequest', async (_request, reply) => {
      reply.header('x-thread', threadId)
    })
    main.get<{ Params: { id: string } }>('/item/:id', async ({ params }) => `item ${params.id}`)
    main.get<{ Params: { id: string } }>('/slow/:id', async ({ params }) => {
      await delay(2000)
      return `slow ${params.id}`
    })
    main.post('/body', async () => 'taken')
    main.get('/large', async () => large)
    main.get('/fail', async (_request, reply) => {
      reply.raw.once('finish', () => {
        setImmediate(() => {
          throw new Error('a mistake of the app')
        })
      })
      return 'failing'
    })
  })
}
