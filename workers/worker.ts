import type { Server } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import { listenError } from './address.ts'
import { loadApp } from './app.ts'
import { endConnectionsAfterResponses } from './draining.ts'
import type { ListenTask, WorkerOrder, WorkerReport, WorkerTask } from './messages.ts'

// The entry of a worker thread: loads the app, listens, reports, and closes when told to.

/** The kernel cuts it to net.core.somaxconn; Node's own default of 511 overflows when thousands connect at once. */
const BACKLOG = 65_535

if (parentPort === null) throw new Error('This file is the entry of a worker thread')
const primary = parentPort
await run(workerData as WorkerTask)

async function run(task: WorkerTask): Promise<void> {
  try {
    const { fastify, routes } = await loadApp(task.app, task)
    if (task.listen !== null) await listen(fastify, task.listen)
    report({ type: 'ready', routes })
    primary.on('message', (order: WorkerOrder) => {
      if (order.type === 'close') void close(fastify)
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
    listenTextResolver: () => `Listening on port ${port}`
  }
  try {
    await fastify.listen(options)
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? listenError(host, port, error) : error
  }
}

async function close(fastify: FastifyInstance): Promise<void> {
  endConnectionsAfterResponses(fastify.server as Server)
  await fastify.close()
  process.exit(0)
}

function report(message: WorkerReport): void {
  primary.postMessage(message)
}
