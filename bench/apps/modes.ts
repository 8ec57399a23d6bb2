import type { FastifyInstance } from 'fastify'

const BURN_MILLISECONDS = 50

/** A handler that answers at once beside one that computes. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.get('/light', async () => ({ message: 'light' }))
  fastify.get('/burn', async () => {
    const begun = process.threadCpuUsage()
    let used = 0
    while (used < BURN_MILLISECONDS) {
      const { user, system } = process.threadCpuUsage(begun)
      used = (user + system) / 1000
    }
    return { message: 'burnt' }
  })
}
