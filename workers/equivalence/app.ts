import type { FastifyInstance } from 'fastify'

/** One route of every kind, so that generated requests meet all of them on either lane. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  const { fast } = fastify
  fast.text('/plaintext', 'Hello, World!')
  fast.text('/unicode', { cacheControl: 'no-store', headers: { 'x-kind': 'static' } }, 'Grüße, 世界')
  fast.html('/page', `<p>${'A page long enough to be compressed. '.repeat(60)}</p>`)
  fast.bytes(
    '/bytes',
    Uint8Array.from({ length: 6000 }, (_, index) => index % 251)
  )
  fast.json('/version', { cors: true }, { version: '1.0.0' })
  fast.json('/json', () => ({ message: 'Hello, World!' }))
  fast.json('/echo', { cors: { origin: ['https://a.example', 'https://b.example'] } }, (request) => ({
    method: request.method,
    path: request.path,
    query: request.query,
    custom: request.header('X-Custom') ?? null,
    cookie: request.header('cookie') ?? null,
    agent: request.header('user-agent') ?? null
  }))
  fast.route('/teapot', { methods: ['GET', 'POST'] }, ({ query }) =>
    'empty' in query
      ? { status: 204 }
      : { status: 418, headers: { 'x-kind': 'handler' }, body: 'short and stout' }
  )
  fast.text('/throws', () => {
    throw Object.assign(new Error('No tea here'), { statusCode: 503 })
  })

  fastify.get('/users/:id', (request) => ({ id: (request.params as { id: string }).id }))
  fastify.post('/users', (request) => ({ got: request.body }))
  fastify.options('*', (_request, reply) => reply.code(204).send())
}
