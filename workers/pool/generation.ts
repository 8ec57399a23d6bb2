import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MessagePort, Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import { ThreadCells } from './messages.ts'
import type { Arrival, Job, PoolTask, Result, ThreadMessage } from './messages.ts'
import { PoolThread } from './pool-worker.ts'

/** What Piscina may put on a thread at one time: that is decided before Piscina is asked. */
const NO_LIMIT = 1_000_000

/** Who is told what happens to threads. */
export interface ThreadListener {
  /** A thread can run jobs. */
  onReady(thread: PoolThread): void
  onMessage(thread: PoolThread, message: ThreadMessage): void
  /** A thread wants to join the hub. */
  onLinkRequest(port: MessagePort): void
  /** A thread has ended unasked. @param thread null: it had not loaded the app */
  onDeath(thread: PoolThread | null, cause: unknown): void
  /** Threads are missing, and Piscina will not replace them. */
  onBroken(cause: ScherzoError): void
}

/** One Piscina pool. Piscina replaces threads that die, until one dies before it has loaded the app. */
export class Generation {
  readonly threads: Set<PoolThread> = new Set()
  /** Its own: a thread that dies while it loads the app gives no place back. */
  readonly cells: ThreadCells
  /** Settles when every thread has loaded the app, or with the reason why one can't. */
  readonly ready: Promise<void>
  readonly #task: Omit<PoolTask, 'cells'>
  readonly #size: number
  readonly #listener: ThreadListener
  readonly #piscina: Piscina<Job, Result>
  readonly #workers = new Map<Worker, PoolThread | null>()
  /** Threads that Piscina takes for ready: it does so before or after they have loaded the app. */
  readonly #takenIn = new Set<number>()
  readonly #arrived = new Map<number, Extract<Arrival, { type: 'arrived' }>>()
  readonly #becomeReady: () => void
  readonly #fail: (cause: ScherzoError) => void
  #isReady = false
  #isEnding = false
  /** For whom Piscina asks right now. */
  #chosen = -1

  constructor(task: Omit<PoolTask, 'cells'>, size: number, listener: ThreadListener) {
    this.#task = task
    this.cells = new ThreadCells(size)
    this.#size = size
    this.#listener = listener
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ready = promise
    this.#becomeReady = resolve
    this.#fail = reject
    // Who starts a pool may be busy with its own copy of the app when this one fails.
    promise.catch(() => {})
    const file = new URL(`./pool-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    this.#piscina = new Piscina({
      filename: fileURLToPath(file),
      workerData: { ...task, cells: this.cells.buffer } satisfies PoolTask,
      minThreads: size,
      maxThreads: size,
      idleTimeout: Infinity,
      // Otherwise an idle thread would block until its next task, and the app's timers and I/O with it.
      atomics: 'disabled',
      concurrentTasksPerWorker: NO_LIMIT,
      recordTiming: false,
      loadBalancer: (_task, threads) => threads.find(({ id }) => id === this.#chosen) ?? null
    })
    // The same error comes from the thread itself.
    this.#piscina.on('error', ignore)
    this.#piscina.on('message', (arrival: Arrival) => this.#onArrival(arrival))
    this.#piscina.on('workerCreate', ({ id }: { readonly id: number }) => {
      this.#takenIn.add(id)
      this.#welcome(id)
    })
    this.#watchThreads()
  }

  /** Runs the app's close hooks in all threads, and ends them. */
  async close(): Promise<void> {
    this.#isEnding = true
    const reasons = await Promise.all([...this.threads].map((thread) => thread.close()))
    await this.destroy()
    const reason = reasons.find((reason) => reason !== null)
    if (reason !== undefined) throw new Error(reason)
  }

  async destroy(): Promise<void> {
    this.#isEnding = true
    await this.#piscina.destroy()
  }

  #run(threadId: number, job: Job): Promise<Result> {
    this.#chosen = threadId
    return this.#piscina.run(job, { transferList: job.body === null ? [] : [job.body.buffer as ArrayBuffer] })
  }

  #onArrival(arrival: Arrival): void {
    if (arrival.type === 'arrived') {
      this.#arrived.set(arrival.threadId, arrival)
      this.#welcome(arrival.threadId)
    } else if (arrival.type === 'link') {
      this.#listener.onLinkRequest(arrival.port)
    } else if (!this.#isEnding) {
      this.#break(new ScherzoError(arrival.code, arrival.values))
    }
  }

  #welcome(threadId: number): void {
    const arrival = this.#arrived.get(threadId)
    const worker = this.#piscina.threads.find((worker) => worker.threadId === threadId)
    if (arrival === undefined || worker === undefined || !this.#takenIn.has(threadId)) return
    this.#arrived.delete(threadId)
    this.#takenIn.delete(threadId)
    const thread = new PoolThread(
      arrival,
      worker,
      (job) => this.#run(threadId, job),
      (thread, message) => this.#listener.onMessage(thread, message)
    )
    this.#workers.set(worker, thread)
    this.threads.add(thread)
    if (this.threads.size === this.#size) {
      this.#isReady = true
      this.#becomeReady()
    }
    this.#listener.onReady(thread)
  }

  #watchThreads(): void {
    for (const worker of this.#piscina.threads) {
      if (this.#workers.has(worker)) continue
      this.#workers.set(worker, null)
      let uncaught: unknown = null
      worker.on('error', (error) => {
        uncaught = error
      })
      worker.on('exit', (code) => this.#onExit(worker, uncaught ?? new Error(`it ended with code ${code}`)))
    }
  }

  #onExit(worker: Worker, cause: unknown): void {
    const thread = this.#workers.get(worker) ?? null
    this.#workers.delete(worker)
    if (thread !== null) {
      this.threads.delete(thread)
      this.cells.release(thread.index)
    }
    if (this.#isEnding) return
    this.#listener.onDeath(thread, cause)
    this.#watchThreads()
    const reason = `${reasonOf(cause)}, in a thread of the pool`
    if (this.#piscina.threads.length < this.#size || !this.#isReady)
      this.#break(new ScherzoError('SCZ_ERR_APP_START', [basename(this.#task.app), reason], { cause }))
  }

  #break(cause: ScherzoError): void {
    if (this.#isReady) this.#listener.onBroken(cause)
    else this.#fail(cause)
  }
}

function ignore(): void {}
