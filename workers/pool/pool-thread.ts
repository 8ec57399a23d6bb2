import { threadId, workerData } from 'node:worker_threads'
import { MessageChannel, parentPort } from 'node:worker_threads'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import { loadApp } from '../app.ts'
import type { App } from '../app.ts'
import { ThreadHub, askForLink } from '../hub/thread-hub.ts'
import { createLog } from '../log.ts'
import { Stats } from '../metrics/stats.ts'
import { CostMeter } from './cost-meter.ts'
import { Exchange } from './exchange.ts'
import { ThreadCells } from './messages.ts'
import type { Arrival, Job, PoolOrder, PoolTask, Result, ThreadMessage } from './messages.ts'

// What Piscina runs in a pool thread: the module loads the app, and each call runs one request in it.

/** How often the thread tells its heap, in milliseconds. */
const INTERVAL = 500

const { port1: port, port2: workersPort } = new MessageChannel()
const meter = new CostMeter()
const exchanges = new Map<number, Exchange>()
/** Told of before the request itself, which comes another way. */
const abortedEarly = new Set<number>()
let lastId = 0
const task = workerData as PoolTask
const cells = new ThreadCells(task.cells)
const index = cells.claim()
const app = await load()

/** Runs a request. */
export default function run(job: Job): Promise<Result> {
  const exchange = new Exchange(job, port, meter)
  lastId = job.id
  cells.countBegun(index)
  exchanges.set(job.id, exchange)
  meter.begin(exchange)
  app!.fastify.routing(exchange.request, exchange.response)
  if (abortedEarly.delete(job.id)) exchange.abort()
  void exchange.result.then(() => exchanges.delete(job.id))
  return exchange.result
}

async function load(): Promise<App | null> {
  try {
    const { settings, worker } = task
    const log = createLog(settings, worker).child({ pool: index })
    const link = await askForLink((port) => arrive({ type: 'link', port }))
    const loaded = await loadApp(task.app, {
      settings,
      log,
      stats: new Stats(),
      tls: null,
      worker,
      poolThreads: 0,
      hub: new ThreadHub(link, settings, log)
    })
    listen()
    return loaded
  } catch (error) {
    const { code, values } =
      error instanceof ScherzoError
        ? error
        : new ScherzoError('SCZ_ERR_APP_START', [task.app, reasonOf(error)])
    arrive({ type: 'failed', code, values })
    return null
  }
}

function listen(): void {
  const measure = (): void => {
    cells.setHeapUsed(index, process.memoryUsage().heapUsed)
    cells.beat(index)
  }
  measure()
  setInterval(measure, INTERVAL).unref()
  port.on('message', (order: PoolOrder) => {
    switch (order.type) {
      case 'abort':
        return abort(order.id)
      case 'taken':
        return exchanges.get(order.id)?.taken(order.bytes)
      case 'close':
        return void close()
    }
  })
  arrive({ type: 'arrived', index, threadId, port: workersPort })
}

function abort(id: number): void {
  const exchange = exchanges.get(id)
  if (exchange !== undefined) exchange.abort()
  else if (id > lastId) abortedEarly.add(id)
}

async function close(): Promise<void> {
  let reason: string | null = null
  try {
    await app?.fastify.close()
  } catch (error) {
    reason = reasonOf(error)
  }
  const message: ThreadMessage = { type: 'closed', reason }
  port.postMessage(message)
}

function arrive(arrival: Arrival): void {
  parentPort!.postMessage(arrival, 'port' in arrival ? [arrival.port] : [])
}
