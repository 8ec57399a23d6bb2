import type { Logger } from 'pino'
import { ScherzoError } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import type { PoolThread } from './pool-worker.ts'

/** What is looked at of a thread. */
export type BeatingThread = Pick<PoolThread, 'index' | 'kill'>

interface Watched {
  beats: number
  since: number
  isReported: boolean
}

/** Looks for threads of a pool whose loop does not turn, as the primary does for workers. */
export class StuckThreads {
  readonly #limit: number
  readonly #replaces: boolean
  readonly #log: Logger
  readonly #beatsOf: (thread: PoolThread) => number
  readonly #watched = new WeakMap<BeatingThread, Watched>()
  #lastLook = 0

  constructor(
    { stuckAfter, replaceStuck }: Pick<Settings, 'stuckAfter' | 'replaceStuck'>,
    log: Logger,
    beatsOf: (thread: PoolThread) => number
  ) {
    this.#limit = stuckAfter * 1000
    this.#replaces = replaceStuck
    this.#log = log
    this.#beatsOf = beatsOf
  }

  /** @param now by performance.now() */
  look(threads: Iterable<PoolThread>, now: number): void {
    if (this.#limit === 0) return
    // Who has not looked for long, because it was blocked or suspended itself, does not know of the time between.
    const pause = now - this.#lastLook
    const missed = pause > LONGEST_BREAK ? pause : 0
    this.#lastLook = now
    for (const thread of threads) this.#lookAt(thread, now, missed)
  }

  #lookAt(thread: PoolThread, now: number, missed: number): void {
    const beats = this.#beatsOf(thread)
    const watched = this.#watched.get(thread)
    if (watched === undefined || watched.beats !== beats) {
      this.#watched.set(thread, { beats, since: now, isReported: false })
      return
    }
    watched.since += missed
    if (watched.isReported || now - watched.since < this.#limit) return
    watched.isReported = true
    const error = new ScherzoError('SCZ_ERR_POOL_STUCK', [
      thread.index,
      Math.round((now - watched.since) / 1000)
    ])
    this.#log.error({ code: error.code, pool: thread.index }, error.message)
    if (this.#replaces) thread.kill()
  }
}

/** Longer than between two looks of a worker that is well, in milliseconds. */
const LONGEST_BREAK = 2000
