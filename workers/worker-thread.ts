import { Worker } from 'node:worker_threads'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import type { RouteRow } from '../routes/mount.ts'
import type { WorkerOrder, WorkerReport, WorkerTask } from './messages.ts'

/** How long a worker may take to finish what it is doing when it is closed, in milliseconds. */
const CLOSE_TIMEOUT = 10_000

/** The primary's end of one worker. */
export class WorkerThread {
  readonly number: number
  /** Settles when the worker is ready, or with the cause when it can't be. */
  readonly ready: Promise<readonly RouteRow[]>
  /** Settles when the thread has ended, with the cause if nobody asked for it. */
  readonly ended: Promise<ScherzoError | null>
  readonly #thread: Worker
  #isClosing = false

  constructor(number: number, task: WorkerTask) {
    this.number = number
    const entry = new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    this.#thread = new Worker(entry, { workerData: task, name: `scherzo worker ${number}` })

    const {
      promise: ready,
      resolve: setReady,
      reject: setFailed
    } = Promise.withResolvers<readonly RouteRow[]>()
    const { promise: ended, resolve: setEnded } = Promise.withResolvers<ScherzoError | null>()
    this.ready = ready
    this.ended = ended

    let uncaught: unknown = null
    let isReady = false
    this.#thread.on('message', (report: WorkerReport) => {
      if (report.type === 'failed') return setFailed(new ScherzoError(report.code, report.values))
      isReady = true
      setReady(report.routes)
    })
    this.#thread.on('error', (error) => {
      uncaught = error
    })
    this.#thread.on('exit', (code) => {
      const cause =
        uncaught === null
          ? new ScherzoError('SCZ_ERR_WORKER_EXIT', [
              number,
              code,
              isReady ? 'while it served' : 'before it listened'
            ])
          : new ScherzoError('SCZ_ERR_WORKER_ERROR', [number, reasonOf(uncaught)], { cause: uncaught })
      setFailed(cause)
      setEnded(this.#isClosing ? null : cause)
    })
  }

  /** Lets the app finish and close; ends the thread when that takes too long. */
  async close(): Promise<void> {
    this.#isClosing = true
    const order: WorkerOrder = { type: 'close' }
    this.#thread.postMessage(order)
    const timer = setTimeout(() => void this.#thread.terminate(), CLOSE_TIMEOUT)
    await this.ended
    clearTimeout(timer)
  }

  async terminate(): Promise<void> {
    this.#isClosing = true
    await this.#thread.terminate()
  }
}
