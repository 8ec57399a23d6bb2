import type { FastifyInstance } from 'fastify'
import 'scherzo'

const integer = { type: 'integer' }
const querystring = { type: 'object', required: ['a', 'b'], properties: { a: integer, b: integer } }

/** Sums: of the query alone, or with the body's number. */
export default async function baseline(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/baseline11', ({ query }) => String(Number(query['a']) + Number(query['b'])))

  // The load generator sends its bodies without a Content-Type.
  fastify.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  fastify.post<{ Querystring: { a: number; b: number }; Body: string | undefined }>(
    '/baseline11',
    { schema: { querystring } },
    async ({ query, body }) => String(query.a + query.b + Number(body ?? 0))
  )
}
