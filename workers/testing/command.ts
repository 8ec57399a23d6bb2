import { deepEqual, equal } from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import type { Child } from './child.ts'

/** Of suites whose tests mostly wait for processes of their own. */
export const SIDE_BY_SIDE: { readonly concurrency: number } = { concurrency: availableParallelism() }

/** The source of an app with a route of each lane. */
export const APP: string = `
  import type { FastifyInstance } from 'fastify'
  import 'scherzo'
  export default async function app(fastify: FastifyInstance): Promise<void> {
    fastify.fast.text('/plaintext', 'Hello, World!')
    fastify.get('/users/:id', async () => 'a user')
    fastify.post('/users', async () => 'made')
  }`

/** Ends a server, which has nothing to complain of. */
export async function stop(child: Child): Promise<void> {
  child.signal('SIGTERM')
  const { code, stderr } = await child.ended
  deepEqual([code, stderr], [0, ''])
}

export async function textOf(url: string): Promise<string> {
  const response = await fetch(url)
  equal(response.status, 200)
  return response.text()
}
