import type { Settings } from '../core/settings.ts'

/** How many threads will run, and what a person should know about it. */
export interface WorkerPlan {
  readonly workers: number
  /** Threads in the pool of each worker; 0 where handlers run on the worker's own loop. */
  readonly poolThreads: number
  readonly reusePort: boolean
  /** A sentence for a person when it is not what was asked for, otherwise null. */
  readonly notice: string | null
}

/** Where the kernel spreads connections over listeners of one port; libuv refuses `reusePort` elsewhere. */
const BALANCING_PLATFORMS: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd', 'aix', 'sunos'])

const POOL_THREADS_PER_CORE = 2

/** Decides how many workers run: as many as asked for or one a core, but one where a port can't be shared. */
export function planWorkers(
  asked: Pick<Settings, 'workers' | 'runtime' | 'poolThreads'>,
  platform: NodeJS.Platform,
  cores: number
): WorkerPlan {
  const wanted = asked.workers ?? cores
  const reusePort = BALANCING_PLATFORMS.has(platform)
  const workers = reusePort ? wanted : 1
  const poolThreads =
    asked.runtime === 'current_thread'
      ? 0
      : (asked.poolThreads ?? Math.max(1, Math.round((POOL_THREADS_PER_CORE * cores) / workers)))
  const notice =
    workers < wanted
      ? `Running one worker: ${platform} does not spread the connections of one port over several listeners`
      : null
  return { workers, poolThreads, reusePort, notice }
}
