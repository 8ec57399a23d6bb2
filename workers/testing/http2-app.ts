import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import '../../index.ts'

/** What became of the bodies that `/body` and `/parsed` were sent. */
export const bodies: string[] = []

/** Lets the responses of `/wait` go. */
export const gate: EventTarget = new EventTarget()

/** An app as it would be for HTTP/1. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.get('/seen', async (request) => ({
    protocol: request.protocol,
    hostname: request.hostname,
    host: request.headers.host,
    ip: request.ip,
    version: request.raw.httpVersion,
    cookie: request.headers.cookie
  }))
  fastify.get('/wait', async () => {
    await once(gate, 'open')
    return 'waited'
  })
  fastify.get('/large', async () => Buffer.alloc(4_000_000, 'a'))
  fastify.get('/connection-headers', (_request, reply) => {
    reply.header('connection', 'keep-alive').header('keep-alive', 'timeout=5').header('x-kept', 'yes')
    return reply.header('set-cookie', ['a=1', 'b=2']).send('sent')
  })
  fastify.get('/raw', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, 'Fine', ['Transfer-Encoding', 'chunked', 'X-Kept', 'yes'])
    reply.raw.end('raw')
  })
  fastify.get('/fails', async () => {
    await delay(0)
    throw new Error('Out of tea')
  })
  fastify.post('/echo', async (request) => request.body)
  fastify.addContentTypeParser(
    'application/x-parsed',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => {
      bodies.push(`whole ${body.length}`)
      return body
    }
  )
  fastify.post('/parsed', async (request) => request.body)
  fastify.addContentTypeParser(
    'application/x-read',
    async (_request: unknown, payload: AsyncIterable<Buffer>) => {
      try {
        for await (const chunk of payload) bodies.push(String(chunk))
        bodies.push('end')
      } catch (error) {
        bodies.push('failed')
        throw error
      }
    }
  )
  fastify.post('/read', async () => 'read')
}
