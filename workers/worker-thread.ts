import { basename } from 'node:path'
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
  /** Settles when the thread has ended, with the cause if nobody asked for it or the app failed to close. */
  readonly ended: Promise<ScherzoError | null>
  readonly #thread: Worker
  #isClosing = false
  #hasEnded = false

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
      this.#hasEnded = true
      const cause = causeOf(code)
      setFailed(cause)
      setEnded(this.#isClosing && uncaught === null ? null : cause)
    })

    function causeOf(code: number): ScherzoError {
      if (uncaught === null) {
        const when = isReady ? 'while it served' : 'before it listened'
        return new ScherzoError('SCZ_ERR_WORKER_EXIT', [number, code, when])
      }
      const reason = reasonOf(uncaught)
      return isReady
        ? new ScherzoError('SCZ_ERR_WORKER_ERROR', [number, reason], { cause: uncaught })
        : new ScherzoError('SCZ_ERR_APP_START', [basename(task.app), reason], { cause: uncaught })
    }
  }

  /** Whether it was told to end, rather than ended by itself. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Lets the app finish and close; ends the thread when that takes too long. Gives the cause if the app failed to close. */
  async close(): Promise<ScherzoError | null> {
    if (this.#hasEnded) return null
    this.#isClosing = true
    const order: WorkerOrder = { type: 'close' }
    this.#thread.postMessage(order)
    const timer = setTimeout(() => void this.#thread.terminate(), CLOSE_TIMEOUT)
    const cause = await this.ended
    clearTimeout(timer)
    return cause
  }

  async terminate(): Promise<void> {
    this.#isClosing = true
    await this.#thread.terminate()
  }
}
