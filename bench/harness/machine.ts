import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { LOAD_CORE, SERVER_CORE } from './cores.ts'
import { root } from './processes.ts'

/** What ran on what, in the order in which a reader asks. */
export type Environment = Record<string, string>

export function describeMachine(): Environment {
  return {
    date: new Date().toISOString(),
    CPU: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores${siblings()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `${process.platform} ${release()}`,
    'load before the start': loadavg()
      .map((load) => load.toFixed(2))
      .join(', '),
    cores: `servers on ${SERVER_CORE}, load on ${LOAD_CORE}`
  }
}

/** Why nothing can be measured on this machine, or null. */
export function findObstacle(programs: readonly string[], connections: number): string | null {
  if (process.platform !== 'linux') return 'The benchmark needs Linux: it reads CPU time from /proc'
  if (cpus().length <= LOAD_CORE) return 'The benchmark needs two cores: one for the server, one for the load'
  for (const program of programs) {
    if (!isOnPath(program))
      return `${program} is missing: install it, for example with "apt-get install ${program}"`
  }
  const wanted = connections + DESCRIPTORS_BESIDE_CONNECTIONS
  const limit = descriptorLimit()
  return limit < wanted
    ? `${connections} connections need ${wanted} descriptors, this process may hold ${limit}: raise "ulimit -n"`
    : null
}

export function versionOf(packageFolder: string): string {
  const file = new URL(`${packageFolder}/package.json`, `file://${root}`)
  return existsSync(file)
    ? String((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version)
    : 'none'
}

export function describeCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore']
    }).trim()
  } catch {
    return 'not a checkout'
  }
}

const DESCRIPTORS_BESIDE_CONNECTIONS = 100

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/${program}`))
}

function descriptorLimit(): number {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))
  return match?.[1] === 'unlimited' ? Infinity : Number(match?.[1])
}

function siblings(): string {
  const file = `/sys/devices/system/cpu/cpu${SERVER_CORE}/topology/thread_siblings_list`
  const list = existsSync(file) ? readFileSync(file, 'latin1').trim().split(/[,-]/) : []
  return list.includes(String(LOAD_CORE)) ? ', the two used are threads of one core' : ''
}
