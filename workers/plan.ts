/** How many workers will run, and what a person should know about it. */
export interface WorkerPlan {
  readonly workers: number
  readonly reusePort: boolean
  /** A sentence for a person when it is not what was asked for, otherwise null. */
  readonly notice: string | null
}

/** Where the kernel spreads connections over listeners of one port; libuv refuses `reusePort` elsewhere. */
const BALANCING_PLATFORMS: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd', 'aix', 'sunos'])

/** Decides how many workers run: as many as asked for or one a core, but one where a port can't be shared. */
export function planWorkers(asked: number | null, platform: NodeJS.Platform, cores: number): WorkerPlan {
  if (BALANCING_PLATFORMS.has(platform)) return { workers: asked ?? cores, reusePort: true, notice: null }
  const notice =
    (asked ?? cores) > 1
      ? `Running one worker: ${platform} does not spread the connections of one port over several listeners`
      : null
  return { workers: 1, reusePort: false, notice }
}
