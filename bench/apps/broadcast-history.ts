import type { FastifyInstance } from 'fastify'
import { broadcaster } from './broadcaster.ts'

const app: (fastify: FastifyInstance) => Promise<void> = broadcaster({ history: true })

export default app
