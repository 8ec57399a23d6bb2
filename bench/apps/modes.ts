import type { FastifyInstance } from 'fastify'

/** A handler that answers at once beside one that computes. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.get('/light', async () => ({ message: 'light' }))
  fastify.get<{ Querystring: { ms: string } }>('/burn', async ({ query }) => {
    const milliseconds = Number(query.ms)
    const begun = process.threadCpuUsage()
    let used = 0
    while (used < milliseconds) {
      const { user, system } = process.threadCpuUsage(begun)
      used = (user + system) / 1000
    }
    return { message: 'burnt' }
  })
}
