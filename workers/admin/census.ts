import { Stats } from '../metrics/stats.ts'
import type { Gauge } from '../metrics/stats.ts'
import type { ServerView, WorkerView } from '../server-view.ts'

/** The server and all its threads at one moment. */
export interface Snapshot {
  readonly view: ServerView
  readonly threads: readonly WorkerView[]
  /** One for each number, in their order: that which serves, where others of the same number start or drain. */
  readonly serving: readonly WorkerView[]
  /** What the threads and those before them have counted, added up. */
  readonly counts: Stats
  /** How many messages the hub has had. */
  readonly published: number
  /** How often each worker was replaced because it had died, by its number. */
  readonly restarts: ReadonlyMap<number, number>
}

/** Takes snapshots of a server. */
export class Census {
  readonly #view: ServerView
  /** Kept, because nobody knows of a worker from when it has died until its replacement starts. */
  readonly #restarts = new Map<number, number>()

  constructor(view: ServerView) {
    this.#view = view
  }

  take(): Snapshot {
    const view = this.#view
    const { threads, retired, published } = view
    const counts = new Stats()
    counts.addCounts(retired)
    for (const { number, restarts, stats } of threads) {
      counts.addCounts(stats)
      this.#restarts.set(number, Math.max(restarts, this.#restarts.get(number) ?? 0))
    }
    return {
      view,
      threads,
      serving: servingOf(threads),
      counts,
      published,
      restarts: new Map(this.#restarts)
    }
  }
}

export function sumOf(gauge: Gauge, threads: readonly WorkerView[]): number {
  return threads.reduce((sum, { stats }) => sum + stats.gauge(gauge), 0)
}

/** The most that a thread has, or 0. */
export function mostOf(gauge: Gauge, threads: readonly WorkerView[]): number {
  return threads.reduce((most, { stats }) => Math.max(most, stats.gauge(gauge)), 0)
}

/** The mean utilisation of all pool threads, from 0 to 1. */
export function poolUtilisationOf(threads: readonly WorkerView[]): number {
  const poolThreads = sumOf('poolThreads', threads)
  const busy = threads.reduce(
    (sum, { stats }) => sum + stats.gauge('poolThreads') * stats.gauge('poolUtilisation'),
    0
  )
  return poolThreads === 0 ? 0 : busy / poolThreads
}

const PREFERENCE: Readonly<Record<WorkerView['state'], number>> = {
  ready: 0,
  stuck: 1,
  starting: 2,
  draining: 3
}

function servingOf(threads: readonly WorkerView[]): readonly WorkerView[] {
  const serving = new Map<number, WorkerView>()
  for (const thread of threads) {
    const other = serving.get(thread.number)
    if (other === undefined || isPreferred(thread, other)) serving.set(thread.number, thread)
  }
  return [...serving.values()].sort((a, b) => a.number - b.number)
}

function isPreferred(thread: WorkerView, other: WorkerView): boolean {
  const difference = PREFERENCE[thread.state] - PREFERENCE[other.state]
  return difference < 0 || (difference === 0 && thread.startedAt > other.startedAt)
}
