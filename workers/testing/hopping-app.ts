import type { FastifyInstance } from 'fastify'
import '../../index.ts'

// The app of the test in which clients hop between instances: everybody may do everything in rooms that forget nothing.

export default async function app({ hub }: FastifyInstance): Promise<void> {
  hub.channel('room:*', { history: { size: 100_000, age: 600 } })
  hub.route('/live', { authorize: () => true })
}
