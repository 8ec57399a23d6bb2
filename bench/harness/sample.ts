import type { CpuTime } from './cpu.ts'

/** What one server showed in one repeat. The names of the figures are those of the case's columns. */
export interface Sample {
  figures: Record<string, number>
  /** What a reader must know before believing the figures: errors, disturbances. */
  warnings: string[]
}

/** What was served in a time, and the CPU seconds spent in it. */
export interface Usage {
  requests: number
  seconds: number
  server: CpuTime
  /** Of the server's core, the server's own among them. */
  core: number
}

// Other processes and the hypervisor. Below that it is the interrupts and timers that every machine has.
const DISTURBED = 0.05

// With less of its core in use it was not the server that set the pace.
const SATURATED = 0.9

export function sampleOf({ requests, seconds, server, core }: Usage): Sample {
  const own = server.user + server.system
  const busy = own / seconds
  const others = Math.max(0, core - own) / seconds
  return {
    figures: {
      rate: requests / seconds,
      cpu: (own / requests) * 1e6,
      cpuUser: (server.user / requests) * 1e6,
      cpuSystem: (server.system / requests) * 1e6,
      busy,
      others
    },
    warnings: others > DISTURBED ? [`others used ${Math.round(others * 100)} % of the server's core`] : []
  }
}

/** Whether the server's core was in use throughout, or that was no question here. */
export function isSaturated({ figures: { busy, others } }: Sample): boolean {
  return busy === undefined || busy + (others ?? 0) >= SATURATED
}

export function figureOf(sample: Sample, key: string): number {
  const figure = sample.figures[key]
  if (figure === undefined) throw new Error(`A sample has no figure named ${key}`)
  return figure
}
