import type { Logger } from 'pino'
import type { Settings } from '../core/settings.ts'
import type { WorkerThread } from './worker-thread.ts'

/** How often the workers are looked at, in milliseconds. */
const INTERVAL = 1000

/** A loop that is busier than this for so many seconds is worth a warning. */
const BUSY = 0.95
const BUSY_SECONDS = 10

/** One warning about the same worker is enough for this many seconds. */
const QUIET_SECONDS = 300

/** What is watched of a worker. */
export type WatchedThread = Pick<
  WorkerThread,
  'number' | 'state' | 'stats' | 'measureUtilization' | 'setStuck' | 'setRecovered' | 'kill'
>

interface Watched {
  utilisation: number
  heartbeat: number
  silentSeconds: number
  busySeconds: number
  /** Seconds until the next warning may be given. */
  quietFor: number
}

/** Looks after the loops of the workers: reports those that are stuck or have more to do than one core can. */
export class Watchdog {
  readonly #settings: Settings
  readonly #log: Logger
  readonly #watched = new WeakMap<WatchedThread, Watched>()
  #timer: NodeJS.Timeout | null = null

  constructor(settings: Settings, log: Logger) {
    this.#settings = settings
    this.#log = log
  }

  start(threads: () => readonly WatchedThread[]): void {
    this.#timer = setInterval(() => {
      for (const thread of threads()) this.#lookAt(thread)
    }, INTERVAL).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  utilisationOf(thread: WatchedThread): number {
    return this.#watched.get(thread)?.utilisation ?? 0
  }

  #lookAt(thread: WatchedThread): void {
    const before = this.#watched.get(thread)
    const watched = before ?? {
      utilisation: 0,
      heartbeat: 0,
      silentSeconds: 0,
      busySeconds: 0,
      quietFor: 0
    }
    if (before === undefined) this.#watched.set(thread, watched)
    watched.utilisation = thread.measureUtilization()
    if (thread.state === 'ready' || thread.state === 'stuck') {
      this.#lookForSilence(thread, watched)
      this.#lookForHaste(thread, watched)
    }
  }

  /** Counts its own turns, not the time: a machine that was suspended has no stuck workers. */
  #lookForSilence(thread: WatchedThread, watched: Watched): void {
    const heartbeat = thread.stats.gauge('heartbeat')
    if (heartbeat !== watched.heartbeat) {
      if (thread.state === 'stuck')
        this.#log.warn(
          { worker: thread.number },
          `Worker ${thread.number} goes on after ${watched.silentSeconds} s`
        )
      thread.setRecovered()
      watched.heartbeat = heartbeat
      watched.silentSeconds = 0
      return
    }
    watched.silentSeconds++
    const { stuckAfter, replaceStuck } = this.#settings
    if (stuckAfter === 0 || watched.silentSeconds < stuckAfter || thread.state === 'stuck') return
    const stuck = thread.setStuck(watched.silentSeconds)
    this.#log.error({ worker: thread.number, code: stuck.code }, stuck.message)
    if (replaceStuck) thread.kill()
  }

  #lookForHaste({ number }: WatchedThread, watched: Watched): void {
    watched.quietFor--
    watched.busySeconds = watched.utilisation > BUSY ? watched.busySeconds + 1 : 0
    if (watched.busySeconds < BUSY_SECONDS || watched.quietFor > 0) return
    watched.quietFor = QUIET_SECONDS
    const advice =
      this.#settings.runtime === 'current_thread'
        ? 'if handlers need that much CPU, try --runtime multithread; otherwise it is at its limit'
        : 'its connections and inline routes are at the limit of one core; more workers may help'
    this.#log.warn(
      { worker: number, utilisation: watched.utilisation },
      `The event loop of worker ${number} has been busy above 95 % for ${BUSY_SECONDS} s: ${advice}`
    )
  }
}
