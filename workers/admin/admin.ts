import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastify as createFastify } from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import type { HostAndPort } from '../../core/setting-readers.ts'
import { listenError } from '../address.ts'
import type { ServerView } from '../server-view.ts'
import { isAllowedHost } from './allowed-host.ts'
import { Census } from './census.ts'
import { Dashboard } from './dashboard.ts'
import { Feed } from './feed.ts'
import { metricsOf } from './metrics.ts'
import { reasonNotReady } from './readiness.ts'
import { Recorder } from './recorder.ts'
import { statusOf } from './status.ts'

/** How long answers that are under way have when the admin server closes, in milliseconds: they are small. */
const LAST_ANSWERS = 100

const INDEX = `Scherzo's admin server

/         for browsers: the dashboard
/livez    whether the process lives
/readyz   whether it can be sent requests
/metrics  for Prometheus
/status   all of it as JSON
`

export interface AdminServer extends HostAndPort {
  /** Stops listening and closes every connection, the idle ones at once. */
  close(): Promise<void>
}

/**
 * Serves what the primary knows about the server, on an address of its own, from before the workers start until after they
 * have ended.
 *
 * @throws SCZ_ERR_ADMIN_LISTEN
 */
export async function startAdmin(
  { host, port }: HostAndPort,
  view: ServerView,
  log: Logger
): Promise<AdminServer> {
  const server = createServer()
  const census = new Census(view)
  const recorder = new Recorder(census, log)
  const feed = new Feed(view, census, recorder)
  const fastify = createAdmin(server, host, view, census, await Dashboard.open(feed), log)
  await fastify.ready()
  try {
    // Not Fastify's listen(): it would give each address of "localhost" a server of its own, out of reach of close().
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host, port, exclusive: true }, resolve)
    })
  } catch (error) {
    recorder.close()
    await fastify.close()
    throw listenError(host, port, error, 'SCZ_ERR_ADMIN_LISTEN')
  }
  const closeAll = (): Promise<void> => {
    recorder.close()
    feed.close()
    return close(server, fastify)
  }
  return { host, port: (server.address() as AddressInfo).port, close: closeAll }
}

function createAdmin(
  server: Server,
  host: string,
  view: ServerView,
  census: Census,
  dashboard: Dashboard,
  log: Logger
): FastifyInstance {
  const fastify = createFastify({
    // Whoever asks while it closes is told what they ask for.
    return503OnClosing: false,
    serverFactory: (handler) => server.on('request', handler as RequestListener)
  })
  fastify.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    const name = request.headers.host
    if (!isAllowedHost(name, host)) throw new ScherzoError('SCZ_ERR_ADMIN_HOST', [name ?? ''])
  })
  fastify.addHook('onError', async (request, _reply, error) => {
    if ((error.statusCode ?? 500) >= 500)
      log.error({ err: error }, `The admin server could not answer ${request.url}: ${reasonOf(error)}`)
  })

  fastify.get('/', (request, reply) => {
    reply.header('vary', 'accept')
    // Browsers name HTML; curl takes anything, and is better served with a list.
    const isBrowser = request.headers.accept?.includes('text/html') === true
    return isBrowser ? dashboard.page(reply) : text(reply, 200, INDEX)
  })
  dashboard.addRoutes(fastify)
  fastify.get('/livez', (_request, reply) => text(reply, 200, 'ok'))
  fastify.get('/readyz', (_request, reply) => {
    const reason = reasonNotReady(view)
    return reason === null ? text(reply, 200, 'ready') : text(reply, 503, reason)
  })
  fastify.get('/metrics', async (_request, reply) => {
    const registry = await metricsOf(census.take())
    return reply.type(registry.contentType).send(await registry.metrics())
  })
  fastify.get('/status', async () => statusOf(census.take()))
  return fastify
}

function text(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(body)
}

async function close(server: Server, fastify: FastifyInstance): Promise<void> {
  // Node closes idle connections with the server, but not those that never sent a request, as browsers keep some.
  const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS)
  await new Promise((resolve) => server.close(resolve))
  clearTimeout(timer)
  await fastify.close()
}
