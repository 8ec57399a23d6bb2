import type { FastifyInstance } from 'fastify'
import app from '../app.ts'

/** The demo, with a way to kill the worker that is asked. */
export default async function mortalApp(fastify: FastifyInstance): Promise<void> {
  await fastify.register(app)
  fastify.post('/die', async () => {
    setImmediate(() => {
      throw new Error('a mistake of the app')
    })
    return 'dying'
  })
}
