import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { EventLoopUtilization } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import type { RouteRow } from '../routes/mount.ts'
import type { Reconnect } from '../routes/protocol/notices.ts'
import type { HubCenter } from './hub/hub-center.ts'
import { portsOf } from './hub/messages.ts'
import type { WorkerOrder, WorkerReport, WorkerTask } from './messages.ts'
import { Stats } from './metrics/stats.ts'

/** What a worker has beyond the drain timeout for the close hooks of the app, in milliseconds. */
const CLOSE_HOOKS_TIMEOUT = 5000

/** What a worker tells of itself when it is ready. */
export interface Loaded {
  readonly routes: readonly RouteRow[]
  /** The files that the app was loaded from. */
  readonly files: readonly string[]
}

/** What a thread is started with: what is its own is made with it. */
export type ThreadTask = Omit<WorkerTask, 'stats' | 'hub'> & { readonly hub: HubCenter }

/** The primary's end of one worker. */
export class WorkerThread {
  readonly number: number
  readonly startedAt: number
  readonly stats: Stats
  /** Settles when the worker is ready, or with the cause when it can't be. */
  readonly ready: Promise<Loaded>
  /** Settles when it no longer listens, because it was told to close or has ended. */
  readonly stoppedListening: Promise<void>
  /** Settles when the thread has ended, with the cause if nobody asked for it or the app failed to close. */
  readonly ended: Promise<ScherzoError | null>
  readonly #thread: Worker
  readonly #drainTimeout: number
  #utilization: EventLoopUtilization
  #stuck: ScherzoError | null = null
  /** When it became ready, or null. */
  #readyAt: number | null = null
  #isClosing = false
  /** Whether it has taken the order to close. */
  #isDraining = false
  #hasEnded = false

  constructor(task: ThreadTask) {
    const { number } = task
    this.number = number
    this.startedAt = Date.now()
    this.stats = new Stats()
    this.#drainTimeout = task.settings.drainTimeout * 1000
    const entry = new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    const hub = task.hub.connect()
    const workerData: WorkerTask = { ...task, stats: this.stats.buffer, hub }
    const transferList = portsOf(hub)
    this.#thread = new Worker(entry, { workerData, transferList, name: `scherzo worker ${number}` })
    this.#utilization = this.#thread.performance.eventLoopUtilization()

    const ready = Promise.withResolvers<Loaded>()
    const stoppedListening = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<ScherzoError | null>()
    this.ready = ready.promise
    this.stoppedListening = stoppedListening.promise
    this.ended = ended.promise
    // Who does not wait for the start learns of its failure from `ended`.
    ready.promise.catch(() => {})

    let uncaught: unknown = null
    let failure: ScherzoError | null = null
    this.#thread.on('message', (report: WorkerReport) => {
      switch (report.type) {
        case 'ready':
          this.#readyAt = performance.now()
          return ready.resolve(report)
        case 'failed':
          failure = new ScherzoError(report.code, report.values)
          return ready.reject(failure)
        case 'draining':
          this.#isDraining = true
          return stoppedListening.resolve()
      }
    })
    this.#thread.on('error', (error) => {
      uncaught = error
    })
    this.#thread.on('exit', (code) => {
      this.#hasEnded = true
      const cause = this.#stuck ?? failure ?? endOf(task, code, uncaught, this.#readyAt !== null)
      ready.reject(cause)
      stoppedListening.resolve()
      ended.resolve(this.#isClosing && uncaught === null ? null : cause)
    })
  }

  get threadId(): number {
    return this.#thread.threadId
  }

  get state(): 'starting' | 'ready' | 'stuck' | 'draining' {
    if (this.#isClosing) return 'draining'
    if (this.#stuck !== null) return 'stuck'
    return this.#readyAt === null ? 'starting' : 'ready'
  }

  /** For how long it has served, in milliseconds; null if it never came up. */
  get servedFor(): number | null {
    return this.#readyAt === null ? null : performance.now() - this.#readyAt
  }

  /** Whether it has begun to close: an error from then on is one of closing. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** How busy its loop was since this was last asked, from 0 to 1. */
  measureUtilization(): number {
    if (this.#hasEnded) return 0
    const now = this.#thread.performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization)
    this.#utilization = now
    return utilization
  }

  /**
   * Lets the app finish and close; ends the thread when that takes too long. Gives the cause if the app failed to close.
   *
   * @param reconnect what clients with WebSockets are told
   */
  async close(reconnect: Reconnect): Promise<ScherzoError | null> {
    if (this.#hasEnded) return null
    this.#isClosing = true
    const order: WorkerOrder = { type: 'close', reconnect }
    this.#thread.postMessage(order)
    const timer = setTimeout(() => void this.#thread.terminate(), this.#drainTimeout + CLOSE_HOOKS_TIMEOUT)
    const cause = await this.ended
    clearTimeout(timer)
    return this.#isDraining ? cause : null
  }

  async terminate(): Promise<void> {
    this.#isClosing = true
    await this.#thread.terminate()
  }

  /** Marks it as stuck; the error is the cause of its end if it is killed for that. */
  setStuck(seconds: number): ScherzoError {
    this.#stuck = new ScherzoError('SCZ_ERR_WORKER_STUCK', [this.number, seconds])
    return this.#stuck
  }

  setRecovered(): void {
    this.#stuck = null
  }

  /** Ends a stuck thread, as if it had died. */
  kill(): void {
    void this.#thread.terminate()
  }
}

function endOf(
  { number, app }: Pick<WorkerTask, 'number' | 'app'>,
  code: number,
  uncaught: unknown,
  wasReady: boolean
): ScherzoError {
  if (uncaught === null) {
    const when = wasReady ? 'while it served' : 'before it listened'
    return new ScherzoError('SCZ_ERR_WORKER_EXIT', [number, code, when])
  }
  const reason = reasonOf(uncaught)
  return wasReady
    ? new ScherzoError('SCZ_ERR_WORKER_ERROR', [number, reason], { cause: uncaught })
    : new ScherzoError('SCZ_ERR_APP_START', [basename(app), reason], { cause: uncaught })
}
