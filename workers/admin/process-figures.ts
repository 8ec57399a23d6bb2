import { readFile, readdir } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'

/** The process as the system sees it, all its threads together. */
export interface ProcessFigures {
  /** Seconds. */
  readonly cpuUser: number
  /** Seconds. */
  readonly cpuSystem: number
  /** Bytes. */
  readonly residentMemory: number
  /** Seconds since 1970. */
  readonly startedAt: number
  /** Null where the system does not tell. */
  readonly openDescriptors: number | null
  /** Null where the system does not tell, or sets no limit. */
  readonly maxDescriptors: number | null
}

/**
 * What `collectDefaultMetrics()` of prom-client would read; that one also starts a timer and an observer of garbage
 * collections, which nothing stops again, and reads the descriptors, one for each connection, while the loop waits.
 */
export async function readProcessFigures(): Promise<ProcessFigures> {
  const [openDescriptors, maxDescriptors] = await Promise.all([countDescriptors(), readDescriptorLimit()])
  const { user, system } = process.cpuUsage()
  return {
    cpuUser: user / 1e6,
    cpuSystem: system / 1e6,
    residentMemory: process.memoryUsage.rss(),
    startedAt: performance.timeOrigin / 1000,
    openDescriptors,
    maxDescriptors
  }
}

async function countDescriptors(): Promise<number | null> {
  try {
    // One of them is that of the folder itself.
    return (await readdir('/proc/self/fd')).length - 1
  } catch {
    return null
  }
}

async function readDescriptorLimit(): Promise<number | null> {
  try {
    const [, limit] = /^Max open files +(\d+) /m.exec(await readFile('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? null : Number(limit)
  } catch {
    return null
  }
}
