import { parentPort, workerData } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import { listenError } from './address.ts'
import { loadApp } from './app.ts'
import type { App } from './app.ts'
import { ThreadHub } from './hub/thread-hub.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { LaneState } from './lane-state.ts'
import { LISTENING, createLog } from './log.ts'
import type { ListenTask, WorkerOrder, WorkerReport, WorkerTask } from './messages.ts'
import { Stats } from './metrics/stats.ts'

// The entry of a worker thread: loads the app, listens, reports, and closes when told to.

/** The kernel cuts it to net.core.somaxconn; Node's own default of 511 overflows when thousands connect at once. */
const BACKLOG = 65_535

if (parentPort === null) throw new Error('This file is the entry of a worker thread')
const primary = parentPort
await run(workerData as WorkerTask)

async function run(task: WorkerTask): Promise<void> {
  const { settings, tls } = task
  const stats = new Stats(task.stats)
  try {
    const { number: worker, poolThreads } = task
    const log = createLog(settings, worker)
    const hub = new ThreadHub(task.hub, settings, log)
    const app = await loadApp(task.app, { settings, stats, tls, log, worker, poolThreads, hub })
    // Before it listens: no connection may miss what is published after its own subscription.
    await hub.serve()
    if (task.listen !== null) await listen(app.fastify, task.listen)
    startHeartbeat(stats, () => measure(app, hub, stats))
    report({ type: 'ready', routes: app.routes, files: app.files })
    primary.on('message', (order: WorkerOrder) => {
      if (order.type !== 'close') return
      app.endpoints.reconnect = order.reconnect
      void close(app, hub, stats, settings.drainTimeout * 1000)
    })
  } catch (error) {
    const known =
      error instanceof ScherzoError
        ? error
        : new ScherzoError('SCZ_ERR_APP_START', [task.app, reasonOf(error)])
    report({ type: 'failed', code: known.code, values: known.values })
  }
}

async function listen(fastify: FastifyInstance, { host, port, reusePort }: ListenTask): Promise<void> {
  // Fastify hands its listen options to the server as they are, reusePort included.
  const options = {
    host,
    port,
    reusePort,
    backlog: BACKLOG,
    listenTextResolver: () => LISTENING
  }
  try {
    await fastify.listen(options)
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? listenError(host, port, error) : error
  }
}

function measure({ fastify, state, pool }: App, hub: ThreadHub, stats: Stats): void {
  hub.measure(stats)
  pool?.measure()
  stats.set('openRequests', state.openRequests)
  fastify.server.getConnections((_error, count) => stats.set('openConnections', count))
}

async function close(
  { fastify, draining, state }: App,
  hub: ThreadHub,
  stats: Stats,
  timeout: number
): Promise<void> {
  await emptyAcceptQueue(state)
  fastify.server.close()
  report({ type: 'draining' })
  setTimeout(() => draining.cut(), timeout).unref()
  await fastify.close()
  hub.measure(stats)
  process.exit(0)
}

/**
 * Takes what waits to be accepted: the kernel resets that when the listener closes. It is one connection a turn of the loop;
 * two turns, since the first is under way. At 2,000 new connections a second this cut the resets from 6 a worker to 3
 * (November 2026); only net.ipv4.tcp_migrate_req makes them none.
 */
async function emptyAcceptQueue({ stats }: LaneState): Promise<void> {
  for (let turn = 0; turn < LONGEST_ACCEPT_QUEUE; turn++) {
    const accepted = stats.counter('connections')
    await new Promise((resolve) => setImmediate(resolve))
    if (turn > 0 && stats.counter('connections') === accepted) return
  }
}

/** More connections than this are not waited for: they may come faster than they are taken. */
const LONGEST_ACCEPT_QUEUE = 1000

function report(message: WorkerReport): void {
  primary.postMessage(message)
}
