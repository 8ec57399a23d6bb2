import type { Logger } from 'pino'
import { ScherzoError } from '../core/errors.ts'
import { Stats } from './metrics/stats.ts'
import type { WorkerView } from './server-view.ts'
import { Slot } from './slot.ts'
import type { SlotListener, SlotTask } from './slot.ts'
import { Watchdog } from './watchdog.ts'
import type { Loaded, WorkerThread } from './worker-thread.ts'

/** So many failed starts in a row, while no worker serves, are taken for the end. */
const HOPELESS_AFTER = 5

/** Keeps the workers of a server going: starts, replaces, reloads and stops them. */
export class Supervisor implements SlotListener {
  /** What the workers that are gone have counted. */
  readonly retired: Stats = new Stats()
  /** Settles when the server has ended; rejects with the cause when no worker comes up any more. */
  readonly closed: Promise<void>
  readonly #slots: readonly Slot[]
  readonly #watchdog: Watchdog
  readonly #setClosed: PromiseWithResolvers<void>
  #isClosing = false
  /** The reloads follow one another. */
  #lastReload: Promise<unknown> = Promise.resolve()

  constructor(workers: number, task: SlotTask, log: Logger) {
    this.#setClosed = Promise.withResolvers<void>()
    this.closed = this.#setClosed.promise
    this.#slots = Array.from({ length: workers }, (_, index) => new Slot(index + 1, task, log, this))
    this.#watchdog = new Watchdog(task.settings, log)
  }

  /** Starts every worker. When one fails, none is left. */
  async start(): Promise<Loaded> {
    try {
      const all = await Promise.all(this.#slots.map((slot) => slot.start().ready))
      this.#watchdog.start(() => this.#slots.flatMap(({ threads }) => threads))
      return all[0]!
    } catch (error) {
      await this.#terminate()
      throw error
    }
  }

  get threads(): readonly WorkerView[] {
    return this.#slots.flatMap(({ threads, restarts, lastFailure }) =>
      threads.map((thread) => ({
        number: thread.number,
        threadId: thread.threadId,
        state: thread.state,
        startedAt: thread.startedAt,
        restarts,
        lastFailure,
        utilisation: this.#watchdog.utilisationOf(thread),
        stats: thread.stats
      }))
    )
  }

  /**
   * Replaces the workers one after another. Resolves when the old ones have finished.
   *
   * @throws what kept a new worker from starting; the old ones that it should have replaced stay
   */
  reload(task: SlotTask): Promise<Loaded> {
    const reload = this.#lastReload.then(() => this.#reload(task))
    this.#lastReload = reload.catch(() => {})
    return reload
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true
      this.#watchdog.stop()
      void this.#finish()
    }
    await this.closed
  }

  onEnd(thread: WorkerThread): void {
    this.retired.addCounts(thread.stats)
  }

  onStartFailure(cause: ScherzoError): boolean {
    const isServed = this.#slots.some(({ isServing }) => isServing)
    const isHopeless = this.#slots.every(({ failuresInARow }) => failuresInARow >= HOPELESS_AFTER - 1)
    if (isServed || !isHopeless) return true
    this.#watchdog.stop()
    void this.#terminate().then(() =>
      this.#setClosed.reject(new ScherzoError('SCZ_ERR_WORKERS_GONE', [cause.message], { cause }))
    )
    return false
  }

  async #reload(task: SlotTask): Promise<Loaded> {
    let loaded: Loaded | null = null
    const ends: Promise<unknown>[] = []
    for (const slot of this.#slots) {
      if (this.#isClosing) throw new ScherzoError('SCZ_ERR_CLOSED', ['reload'])
      const { thread, ended } = await slot.replace(task)
      loaded ??= await thread.ready
      ends.push(ended)
    }
    await Promise.all(ends)
    return loaded!
  }

  async #finish(): Promise<void> {
    const causes = await Promise.all(this.#slots.map((slot) => slot.close()))
    const cause = causes.find((each) => each !== null)
    if (cause === undefined) this.#setClosed.resolve()
    else this.#setClosed.reject(cause)
  }

  async #terminate(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.terminate()))
  }
}
