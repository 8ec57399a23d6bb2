import { performance } from 'node:perf_hooks'
import type { EventLoopUtilization } from 'node:perf_hooks'
import type { MessagePort, Worker } from 'node:worker_threads'
import type { Arrival, Job, PoolOrder, Result, ThreadMessage } from './messages.ts'

/** The worker's end of a pool thread that has loaded the app. */
export class PoolThread {
  readonly index: number
  readonly #closed: Promise<string | null>
  /** Jobs that it has been given, ever. */
  sent = 0
  running = 0
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #run: (job: Job) => Promise<Result>
  #utilization: EventLoopUtilization

  constructor(
    { index, port }: Extract<Arrival, { type: 'arrived' }>,
    worker: Worker,
    run: (job: Job) => Promise<Result>,
    onMessage: (thread: PoolThread, message: ThreadMessage) => void
  ) {
    this.index = index
    this.#worker = worker
    this.#port = port
    this.#run = run
    this.#utilization = worker.performance.eventLoopUtilization()
    const { promise, resolve } = Promise.withResolvers<string | null>()
    this.#closed = promise
    port.on('message', (message: ThreadMessage) => {
      if (message.type === 'closed') resolve(message.reason)
      else onMessage(this, message)
    })
    port.on('close', () => resolve(null))
    // What is under way keeps the worker alive by its sockets.
    port.unref()
  }

  /** Rejects when the thread ends before the job is through. */
  run(job: Job): Promise<Result> {
    return this.#run(job)
  }

  order(order: PoolOrder): void {
    this.#port.postMessage(order)
  }

  /** Runs the app's close hooks, for which the process stays. Settles with the reason of their failure, or null. */
  close(): Promise<string | null> {
    this.#port.ref()
    this.order({ type: 'close' })
    return this.#closed
  }

  /** Ends a stuck thread, as if it had died. */
  kill(): void {
    void this.#worker.terminate()
  }

  /** How long its loop has been idle, ever, in milliseconds. */
  get idle(): number {
    return this.#worker.performance.eventLoopUtilization().idle
  }

  /** How busy its loop was since this was last asked, from 0 to 1. */
  measureUtilization(): number {
    const now = this.#worker.performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization)
    this.#utilization = now
    return utilization
  }
}
