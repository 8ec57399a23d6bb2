import type { FastifyInstance } from 'fastify'
import { messageSchema } from './message-schema.ts'
import users from './users.ts'

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/plaintext', 'Hello, World!')
  fastify.fast.json('/json', { schema: messageSchema }, () => ({ message: 'Hello, World!' }))
  await fastify.register(users)
}
