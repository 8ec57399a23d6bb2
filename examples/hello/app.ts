import type { FastifyInstance } from 'fastify'
import 'scherzo'

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/plaintext', 'Hello, World!')
  fastify.fast.json('/json', () => ({ message: 'Hello, World!' }))
}
