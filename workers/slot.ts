import type { Logger } from 'pino'
import { ScherzoError } from '../core/errors.ts'
import { WorkerThread } from './worker-thread.ts'
import type { ThreadTask } from './worker-thread.ts'

/** A worker that has served this long is as good as any: if it dies, the next one need not wait long. In milliseconds. */
const PROVEN_AFTER = 1000

/** How long the first replacement waits, and the longest that one waits, in milliseconds. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 10_000

/** What a slot is started with, but for its number. */
export type SlotTask = Omit<ThreadTask, 'number'>

/** A new thread that serves, and the end of the one before it. */
export interface Replaced {
  readonly thread: WorkerThread
  readonly ended: Promise<unknown>
}

/** Who is told what happens in a slot. */
export interface SlotListener {
  /** A thread that has ended, for whatever reason. */
  onEnd(thread: WorkerThread): void
  /** A replacement did not come up; returns whether to go on trying. */
  onStartFailure(cause: ScherzoError): boolean
}

/** The place of one worker: it holds the thread that serves, replaces it when it dies, and lets old ones finish. */
export class Slot {
  readonly number: number
  readonly #log: Logger
  readonly #listener: SlotListener
  #task: SlotTask
  #thread: WorkerThread | null = null
  /** The one that a reload starts. */
  #coming: WorkerThread | null = null
  /** Threads that finish what they have, after a reload or a close. */
  readonly #retiring = new Set<WorkerThread>()
  #timer: NodeJS.Timeout | null = null
  #failuresInARow = 0
  #isClosed = false
  restarts = 0
  lastFailure: string | null = null

  constructor(number: number, task: SlotTask, log: Logger, listener: SlotListener) {
    this.number = number
    this.#task = task
    this.#log = log
    this.#listener = listener
  }

  /** Every thread that is there: the one that serves, the one that will, and those that finish. */
  get threads(): readonly WorkerThread[] {
    return [this.#thread, this.#coming, ...this.#retiring].filter((thread) => thread !== null)
  }

  get isServing(): boolean {
    return this.#thread?.state === 'ready' || this.#thread?.state === 'stuck'
  }

  get failuresInARow(): number {
    return this.#failuresInARow
  }

  /** Starts the first thread. */
  start(): WorkerThread {
    const thread = this.#open(this.#task)
    this.#thread = thread
    return thread
  }

  /**
   * Starts a thread for another task and, once it listens, lets the one before finish. Resolves when that one no longer
   * listens; rejects if the new one fails, and then nothing has changed.
   */
  async replace(task: SlotTask): Promise<Replaced> {
    const canShare = task.listen === null || task.listen.reusePort
    if (!canShare) await this.#tryToLoad(task)
    if (!canShare) await this.#retire(null).stoppedListening
    const thread = this.#open(task)
    this.#coming = thread
    try {
      await readyOrGone(thread)
    } finally {
      this.#coming = null
    }
    if (this.#isClosed) {
      await thread.terminate()
      throw new ScherzoError('SCZ_ERR_CLOSED', ['reload'])
    }
    this.#cancelStart()
    this.#failuresInARow = 0
    this.#task = task
    const { stoppedListening, ended } = this.#retire(thread)
    await stoppedListening
    return { thread, ended }
  }

  /** Lets every thread finish. Gives the cause if the app failed to close. */
  async close(): Promise<ScherzoError | null> {
    this.#isClosed = true
    this.#cancelStart()
    const causes = await Promise.all(this.threads.map((thread) => thread.close('later')))
    return causes.find((cause) => cause !== null) ?? null
  }

  async terminate(): Promise<void> {
    this.#isClosed = true
    this.#cancelStart()
    await Promise.all(this.threads.map((thread) => thread.terminate()))
  }

  /** Where two threads can't listen on one port, the app is at least known to load before the old one stops. */
  async #tryToLoad(task: SlotTask): Promise<void> {
    const trial = new WorkerThread({ ...task, listen: null, number: this.number })
    await readyOrGone(trial)
    await trial.terminate()
  }

  /** Puts a thread, or none, in the place of the one that serves, and lets that one finish. */
  #retire(successor: WorkerThread | null): { stoppedListening: Promise<void>; ended: Promise<unknown> } {
    const thread = this.#thread
    this.#thread = successor
    if (thread === null) return { stoppedListening: Promise.resolve(), ended: Promise.resolve() }
    this.#retiring.add(thread)
    const ended =
      thread.state === 'stuck' ? thread.terminate() : thread.close(successor === null ? 'later' : 'now')
    return { stoppedListening: thread.stoppedListening, ended }
  }

  #open(task: SlotTask): WorkerThread {
    const thread = new WorkerThread({ ...task, number: this.number })
    void thread.ended.then((cause) => this.#onEnd(thread, cause))
    return thread
  }

  #onEnd(thread: WorkerThread, cause: ScherzoError | null): void {
    this.#listener.onEnd(thread)
    this.#retiring.delete(thread)
    const wasServing = this.#thread === thread
    if (wasServing) this.#thread = null
    // A thread that never served is dealt with by who started it.
    if (cause === null || thread.servedFor === null) return
    if (this.#isClosed || !wasServing) {
      // What the app fails with while the server closes is told by the close.
      if (!this.#isClosed || !thread.isDraining) this.#logEnd(cause, cause.message)
      return
    }
    this.#failuresInARow = thread.servedFor >= PROVEN_AFTER ? 0 : this.#failuresInARow + 1
    this.#startLater(cause)
  }

  #startLater(cause: ScherzoError): void {
    this.lastFailure = cause.message
    const delay = Math.min(FIRST_DELAY * 2 ** this.#failuresInARow, LONGEST_DELAY)
    this.#logEnd(cause, `${cause.message}. Another one starts in ${delay} ms`)
    this.#timer = setTimeout(() => void this.#startAgain(), delay)
  }

  #logEnd({ code, cause }: ScherzoError, message: string): void {
    this.#log.error({ worker: this.number, code, err: cause }, message)
  }

  async #startAgain(): Promise<void> {
    this.#timer = null
    this.restarts++
    const thread = this.start()
    try {
      await readyOrGone(thread)
      this.#log.info({ worker: this.number }, `Worker ${this.number} serves again`)
    } catch (error) {
      if (this.#isClosed || this.#thread !== null || !this.#listener.onStartFailure(error as ScherzoError))
        return
      this.#failuresInARow++
      this.#startLater(error as ScherzoError)
    }
  }

  #cancelStart(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

/** Waits until a thread is ready; one that fails is ended before that is told. */
async function readyOrGone(thread: WorkerThread): Promise<void> {
  try {
    await thread.ready
  } catch (error) {
    await thread.terminate()
    throw error
  }
}
