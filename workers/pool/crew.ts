import type { MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { reasonOf } from '../../core/errors.ts'
import type { ScherzoError } from '../../core/errors.ts'
import { Generation } from './generation.ts'
import type { ThreadListener } from './generation.ts'
import type { PoolTask, ThreadMessage } from './messages.ts'
import type { PoolThread } from './pool-worker.ts'

/** How long the first new pool waits when threads are missing, and the longest that one waits, in milliseconds. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 10_000

/** Who is told which threads there are. */
export interface CrewListener {
  onReady(thread: PoolThread): void
  onMessage(thread: PoolThread, message: ThreadMessage): void
  /** A thread wants to join the hub. */
  onLinkRequest(port: MessagePort): void
  /** It gets nothing new, but finishes what it has. */
  onRetire(thread: PoolThread): void
  /** It has ended, with all that it had. */
  onDeath(thread: PoolThread, cause: unknown): void
  /** No thread is left, and none is on its way yet. */
  onAbandoned(): void
}

/** The threads of a worker's pool; when Piscina gives up on them, a new pool takes their place after a growing delay. */
export class Crew implements ThreadListener {
  readonly #task: Omit<PoolTask, 'cells'>
  readonly #size: number
  readonly #log: Logger
  readonly #listener: CrewListener
  #generation: Generation | null = null
  /** Those before it, that finish what they have. */
  readonly #retired = new Set<Generation>()
  #timer: NodeJS.Timeout | null = null
  #failuresInARow = 0
  #isBroken = false
  #isClosed = false

  constructor(task: Omit<PoolTask, 'cells'>, size: number, log: Logger, listener: CrewListener) {
    this.#task = task
    this.#size = size
    this.#log = log
    this.#listener = listener
  }

  get threads(): ReadonlySet<PoolThread> {
    return this.#generation?.threads ?? new Set()
  }

  /** Whether a thread can run a request, now or as soon as Piscina has replaced one. */
  get isAble(): boolean {
    return this.threads.size > 0 || !this.#isBroken
  }

  get heapUsed(): number {
    return this.#generation?.cells.heapUsed ?? 0
  }

  /** How many jobs a thread has begun. */
  begun(thread: PoolThread): number {
    return this.#generation?.cells.begun(thread.index) ?? 0
  }

  /** How often the loop of a thread was seen to turn. */
  beats(thread: PoolThread): number {
    return this.#generation?.cells.beats(thread.index) ?? 0
  }

  /** @throws SCZ_ERR_APP_EXPORT, SCZ_ERR_APP_START, as the worker's own load does */
  async start(): Promise<void> {
    this.#generation = new Generation(this.#task, this.#size, this)
    await this.#generation.ready
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const generation of this.#retired) void generation.destroy()
    await this.#generation?.close()
  }

  /** Ends all threads without a word. */
  async destroy(): Promise<void> {
    this.#isClosed = true
    await this.#generation?.destroy()
  }

  /** A thread is through with a job. */
  release(thread: PoolThread): void {
    thread.running--
    for (const generation of this.#retired) {
      if (generation.threads.has(thread)) this.#closeIfIdle(generation)
    }
  }

  onReady(thread: PoolThread): void {
    if (this.threads.has(thread)) this.#listener.onReady(thread)
  }

  onMessage(thread: PoolThread, message: ThreadMessage): void {
    this.#listener.onMessage(thread, message)
  }

  onLinkRequest(port: MessagePort): void {
    this.#listener.onLinkRequest(port)
  }

  onDeath(thread: PoolThread | null, cause: unknown): void {
    this.#log.error({ err: cause, pool: thread?.index }, `A thread of the pool has died: ${reasonOf(cause)}`)
    if (thread !== null) this.#listener.onDeath(thread, cause)
  }

  onBroken(cause: ScherzoError): void {
    if (this.#isClosed) return
    this.#isBroken = true
    if (this.#timer === null) this.#renewLater(cause)
    if (!this.isAble) this.#listener.onAbandoned()
  }

  #renewLater(cause: ScherzoError): void {
    const delay = Math.min(FIRST_DELAY * 2 ** this.#failuresInARow, LONGEST_DELAY)
    this.#failuresInARow++
    this.#log.error(
      { code: cause.code, err: cause.cause },
      `${cause.message}. A new pool starts in ${delay} ms`
    )
    this.#timer = setTimeout(() => void this.#renew(), delay)
  }

  async #renew(): Promise<void> {
    const next = new Generation(this.#task, this.#size, this)
    try {
      await next.ready
    } catch (error) {
      await next.destroy()
      if (!this.#isClosed) this.#renewLater(error as ScherzoError)
      return
    }
    this.#timer = null
    if (this.#isClosed) return next.destroy()
    const old = this.#generation!
    this.#generation = next
    this.#isBroken = false
    this.#failuresInARow = 0
    for (const thread of old.threads) this.#listener.onRetire(thread)
    for (const thread of next.threads) this.#listener.onReady(thread)
    this.#retired.add(old)
    this.#closeIfIdle(old)
  }

  #closeIfIdle(generation: Generation): void {
    if ([...generation.threads].some(({ running }) => running > 0)) return
    this.#retired.delete(generation)
    void generation
      .close()
      .catch((error: unknown) => this.#log.error({ err: error }, 'A retired pool failed to close'))
  }
}
