import { threadId } from 'node:worker_threads'
import { setTimeout as pause } from 'node:timers/promises'
import { appendFileSync, existsSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'

/** Where the threads write what happens; a pool thread gets it with the environment that it starts with. */
const log = process.env['POOL_TEST_LOG'] ?? ''

/** Handlers that misbehave. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.get('/light', () => ({ threadId }))
  fastify.get<{ Querystring: { until: string } }>('/burn', ({ query }) => {
    // Blocks its thread until the test lets it go on.
    const cell = new Int32Array(new SharedArrayBuffer(4))
    while (!existsSync(query.until)) Atomics.wait(cell, 0, 0, 5)
    return { threadId }
  })
  fastify.get('/spin', () => {
    for (;;);
  })
  fastify.get('/never', (_request, reply) => void reply.hijack())
  fastify.get<{ Querystring: { until: string } }>('/later', async ({ query }) => {
    // Waits until the test lets it go on, and lets others run meanwhile.
    while (!existsSync(query.until)) await pause(5)
    return { threadId }
  })
  fastify.get('/exit', () => process.exit(3))
  fastify.get('/uncaught', (_request, reply) => {
    reply.hijack()
    setTimeout(() => {
      throw new Error('Nobody caught this')
    }, 5)
  })
  fastify.get('/exit-after-head', (_request, reply) => {
    reply.hijack()
    reply.raw.write('begun')
    setTimeout(() => process.exit(4), 50)
  })
  fastify.get('/endless', (_request, reply) => {
    reply.hijack()
    const chunk = Buffer.alloc(65_536)
    let bytes = 0
    const write = (): void => {
      while (reply.raw.write(chunk)) bytes += chunk.length
      bytes += chunk.length
      if (log !== '') appendFileSync(log, `wrote ${bytes}\n`)
    }
    reply.raw.on('drain', write)
    write()
  })
  fastify.addHook('onClose', async () => {
    if (log !== '') appendFileSync(log, `closed ${threadId === 0 ? 'worker' : 'thread'}\n`)
  })
}
