import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/** Counts the bytes of a body as they come, whatever their type; nothing holds it whole. */
export default async function upload(fastify: FastifyInstance): Promise<void> {
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  fastify.post<{ Body: Readable | undefined }>('/upload', async ({ body }) => {
    let length = 0
    for await (const chunk of body ?? []) length += (chunk as Buffer).length
    return String(length)
  })
}
