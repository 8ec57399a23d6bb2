import { readCoreBusy, readCpu } from './cpu.ts'
import { LOAD_CORE, SERVER_CORE } from './cores.ts'
import { type Command, runPinned } from './processes.ts'
import { type Sample, sampleOf, type Usage } from './sample.ts'
import type { RunningServer } from './server.ts'

export interface AutocannonLoad {
  path: string
  connections: number
  warmUpSeconds: number
  seconds: number
}

/** The part of autocannon's --json output that is read here. */
export interface AutocannonReport {
  /** Seconds. */
  duration: number
  requests: { total: number }
  latency: { p50: number; p99: number }
  errors: number
  timeouts: number
  non2xx: number
}

const SECONDS_TO_END = 20

/**
 * A second opinion on wrk. It takes more CPU time for a request than any server here does, so the server is never
 * saturated and the CPU time per request is the figure that compares.
 */
export async function measureWithAutocannon(server: RunningServer, load: AutocannonLoad): Promise<Sample> {
  await run(server, load, load.warmUpSeconds)
  const serverBefore = readCpu(server.pid)
  const coreBefore = readCoreBusy(SERVER_CORE)
  const report = await run(server, load, load.seconds)
  const { user, system } = readCpu(server.pid)
  return toSample(report, {
    server: { user: user - serverBefore.user, system: system - serverBefore.system },
    core: readCoreBusy(SERVER_CORE) - coreBefore
  })
}

export function autocannonCommand(load: AutocannonLoad, port: number | string, seconds: number): Command {
  const options = `--json --no-progress -c ${load.connections} -d ${Math.ceil(seconds)}`
  return `node node_modules/autocannon/autocannon.js ${options} http://127.0.0.1:${port}${load.path}`.split(
    ' '
  )
}

export function toSample(report: AutocannonReport, spent: Pick<Usage, 'server' | 'core'>): Sample {
  const { errors, timeouts, non2xx, latency, requests, duration } = report
  if (non2xx > 0) throw new Error(`${non2xx} responses were not 2xx`)
  const { figures, warnings } = sampleOf({ requests: requests.total, seconds: duration, ...spent })
  if (errors + timeouts > 0) warnings.push(`socket errors: ${errors}, timeouts: ${timeouts}`)
  return { figures: { ...figures, p50: latency.p50, p99: latency.p99 }, warnings }
}

async function run(server: RunningServer, load: AutocannonLoad, seconds: number): Promise<AutocannonReport> {
  const command = autocannonCommand(load, server.port, seconds)
  const output = await runPinned(command, LOAD_CORE, Math.ceil(seconds) + SECONDS_TO_END)
  return JSON.parse(output) as AutocannonReport
}
