import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Seconds of CPU time since the process started, all its threads together. */
export interface CpuTime {
  user: number
  system: number
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']))

export function readCpu(pid: number): CpuTime {
  return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

/** The seconds that a core was busy since the machine started. */
export function readCoreBusy(core: number): number {
  const lines = readFileSync('/proc/stat', 'latin1').split('\n')
  return parseCoreStat(lines.find((line) => line.startsWith(`cpu${core} `)) ?? '')
}

/** proc_pid_stat(5): utime and stime are the fields 14 and 15. The name, field 2, may hold spaces and parentheses. */
export function parseProcessStat(line: string): CpuTime {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { user: ticks(fields[11]) / ticksPerSecond, system: ticks(fields[12]) / ticksPerSecond }
}

/** proc_stat(5): seconds at work for anyone, or taken away by the hypervisor. */
export function parseCoreStat(line: string): number {
  const [user, nice, system, , , irq, softIrq, steal] = line.split(/ +/).slice(1)
  return (
    [user, nice, system, irq, softIrq, steal].reduce((sum, field) => sum + ticks(field), 0) / ticksPerSecond
  )
}

/** VmRSS in bytes. */
export function readResidentMemory(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return Number(match?.[1]) * 1024
}

function ticks(field: string | undefined): number {
  const parsed = Number(field)
  if (field === undefined || Number.isNaN(parsed)) throw new Error(`No CPU time can be read in "${field}"`)
  return parsed
}
