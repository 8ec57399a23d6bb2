import files from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import 'scherzo'
import baseline from './baseline.ts'
import json from './json.ts'
import upload from './upload.ts'

const { DATA } = process.env

/** What `/static/*` and `/json` read is mounted at DATA. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/pipeline', () => 'ok')
  await fastify.register(baseline)
  await fastify.register(json, { dataset: `${DATA}/dataset.json` })
  await fastify.register(upload)
  await fastify.register(files, { root: `${DATA}/static`, prefix: '/static/', preCompressed: true })
  fastify.hub.route('/ws', { onMessage: (socket, data, isBinary) => socket.send(data, isBinary) })
}
