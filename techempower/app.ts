import type { FastifyInstance } from 'fastify'
import 'scherzo'

const message = { type: 'object', properties: { message: { type: 'string' } } }

/** Both handlers run for every request: the text is given anew, the object made and serialised anew. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/plaintext', () => 'Hello, World!')
  fastify.fast.json('/json', { schema: message }, () => ({ message: 'Hello, World!' }))
}
