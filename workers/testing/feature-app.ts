import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import multipart from '@fastify/multipart'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import '../../index.ts'

/** What `closed` holds after the app's close hooks have run. */
export const closed: string[] = []

/** An app that uses what Fastify offers, beside fast routes. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  await fastify.register(multipart)
  await fastify.register(websocket)

  fastify.addHook('preClose', async () => void closed.push('preClose'))
  fastify.addHook('onClose', async () => void closed.push('onClose'))

  fastify.fast.text('/fast', 'fast')
  fastify.fast.text('/flaky', ({ query }) => {
    if ('fail' in query) throw Object.assign(new Error('Out of tea'), { statusCode: 503 })
    return 'tea'
  })
  fastify.fast.bytes('/large', new Uint8Array(1_000_000).fill(0x61))

  await fastify.register(async (hooked) => {
    hooked.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization !== 'Bearer key') await reply.code(401).send({ error: 'No key' })
    })
    hooked.addHook('onSend', async (_request, reply) => void reply.header('x-hook', 'seen'))
    hooked.fast.text('/guarded', 'secret')
    hooked.get('/guarded/main', async () => 'secret')
  })

  fastify.get('/stream', (_request, reply) =>
    reply.type('text/plain').send(Readable.from(['one ', 'two ', 'three']))
  )
  fastify.post(
    '/validated',
    { schema: { body: { type: 'object', required: ['name'] } } },
    async (request) => request.body
  )
  fastify.get('/hijacked', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/plain', 'content-length': 8 })
    reply.raw.end('hijacked')
  })
  fastify.post('/upload', async (request) => {
    const file = await request.file()
    const bytes = await file?.toBuffer()
    return { name: file?.filename, bytes: bytes?.length }
  })
  fastify.get('/echo-socket', { websocket: true }, (socket) => {
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`))
  })
  await fastify.register(async (raw) => {
    raw.removeAllContentTypeParsers()
    raw.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    raw.post('/digest', async (request) => {
      const hash = createHash('sha256')
      const body = request.body as Readable
      body.on('data', (chunk: Buffer) => hash.update(chunk))
      await once(body, 'end')
      return hash.digest('hex')
    })
  })
}
