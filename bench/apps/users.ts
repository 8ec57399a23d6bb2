import type { FastifyInstance } from 'fastify'

const schema = {
  params: {
    type: 'object',
    properties: { id: { type: 'integer' } },
    required: ['id']
  },
  response: {
    200: {
      type: 'object',
      properties: { id: { type: 'integer' }, name: { type: 'string' } },
      required: ['id', 'name']
    }
  }
} as const

/** An ordinary Fastify route, served as it is by plain Fastify and by Scherzo's main lane. */
export default async function users(fastify: FastifyInstance): Promise<void> {
  fastify.get<{ Params: { id: number } }>('/users/:id', { schema }, async ({ params }) => ({
    id: params.id,
    name: `User ${params.id}`
  }))
}
