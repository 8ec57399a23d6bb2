import { setTimeout as sleep } from 'node:timers/promises'
import { parseCoreStat, parseProcessStat } from './cpu.ts'
import { LOAD_CORE, SERVER_CORE } from './cores.ts'
import { type Command, runPinned } from './processes.ts'
import { type Sample, sampleOf } from './sample.ts'
import type { RunningServer } from './server.ts'

export interface WrkLoad {
  path: string
  connections: number
  /** Requests sent in one batch, each batch when the one before is answered. */
  pipelined: number
  /** The window of a run before the measured one. */
  warmUpSeconds: number
  seconds: number
}

/** What wrk.lua prints. */
export interface WrkReport {
  begin: Mark
  finish: Mark
  /** Connections that the server had accepted when the window began. */
  connected: number
  responses: number
  connectErrors: number
  readErrors: number
  writeErrors: number
  timeouts: number
  badStatuses: number
  p50: number
  p99: number
}

interface Mark {
  seconds: number
  sent: number
  serverStat: string
  coreStat: string
}

// At 16,384 connections a batch may wait for seconds behind all others.
const TIMEOUT_SECONDS = 30

// A busy server accepts thousands of connections slowly, and a lost one is tried again after 1, 3 and 7 s.
const LONGEST_LEAD_SECONDS = 20

// Enough to compile everything; more would leave thousands of ports waiting when the measured run wants them.
const WARM_UP_CONNECTIONS = 256

// For the server to close the connections of the warm-up, which would be counted as its own files otherwise.
const SECONDS_BETWEEN_RUNS = 0.5

/** Warms the server up in a run of its own, so that code that is not compiled yet shows in no latency. */
export async function measureWithWrk(server: RunningServer, load: WrkLoad): Promise<Sample> {
  const connections = Math.min(load.connections, WARM_UP_CONNECTIONS)
  await run(server, { ...load, connections, seconds: load.warmUpSeconds })
  await sleep(SECONDS_BETWEEN_RUNS * 1000)
  return toSample(parseWrkReport(await run(server, load)), load)
}

export function wrkCommand(load: WrkLoad, port: number | string, pid: number | string): Command {
  const options = `-t 1 -c ${load.connections} -d ${runSeconds(load)}s --timeout ${TIMEOUT_SECONDS}s --latency`
  const what = `${load.connections} ${load.pipelined} ${load.seconds}`
  const forScript = `${what} ${LONGEST_LEAD_SECONDS} ${pid} cpu${SERVER_CORE}`
  const url = `http://127.0.0.1:${port}${load.path}`
  return `wrk ${options} -s bench/harness/wrk.lua ${url} -- ${forScript}`.split(' ')
}

export function parseWrkReport(output: string): WrkReport {
  const line = output.split('\n').find((line) => line.startsWith('{'))
  if (line === undefined) throw new Error(`wrk printed no report:\n${output}`)
  const report = JSON.parse(line) as WrkReport & { begin: Mark | null; finish: Mark | null }
  if (report.begin === null || report.finish === null) throw new Error(`wrk stalled, no window:\n${output}`)
  return report
}

/** One moment's requests and CPU time subtracted from another's. Answers that are not right make it fail. */
export function toSample(report: WrkReport, load: WrkLoad): Sample {
  const { begin, finish } = report
  if (report.badStatuses > 0) throw new Error(`${report.badStatuses} responses were neither 2xx nor 3xx`)
  const from = parseProcessStat(begin.serverStat)
  const to = parseProcessStat(finish.serverStat)
  const { figures, warnings } = sampleOf({
    requests: finish.sent - begin.sent,
    seconds: finish.seconds - begin.seconds,
    server: { user: to.user - from.user, system: to.system - from.system },
    core: parseCoreStat(finish.coreStat) - parseCoreStat(begin.coreStat)
  })
  return {
    figures: { ...figures, ...latencyOf(report, load) },
    warnings: [...errorsOf(report, load), ...warnings]
  }
}

/**
 * wrk fills its latencies up with those that requests sent at even intervals would have met. It takes every request of
 * a batch for one sent by itself, so of pipelined requests it gives about half the latency there was, or none.
 */
function latencyOf({ p50, p99 }: WrkReport, { pipelined }: WrkLoad): Record<string, number> {
  return pipelined === 1 ? { p50, p99 } : {}
}

function errorsOf(report: WrkReport, load: WrkLoad): string[] {
  const { connectErrors, readErrors, writeErrors, timeouts } = report
  if (connectErrors + readErrors + writeErrors + timeouts > 0) {
    return [
      `socket errors: ${connectErrors} connect, ${readErrors} read, ${writeErrors} write, ${timeouts} timeout`
    ]
  }
  // The script counts a batch when it is made, which may be before the one ahead of it is answered.
  const mayBeUnderWay = 2 * load.connections * load.pipelined
  if (report.responses < report.finish.sent - mayBeUnderWay) {
    throw new Error(`wrk sent ${report.finish.sent} requests and saw only ${report.responses} responses`)
  }
  return report.connected < load.connections
    ? [`only ${report.connected} of ${load.connections} connections were accepted`]
    : []
}

// The script ends the run before that. wrk takes whole seconds, and a slow server's window ends a little late.
function runSeconds(load: WrkLoad): number {
  return Math.ceil(LONGEST_LEAD_SECONDS + load.seconds) + 1
}

function run(server: RunningServer, load: WrkLoad): Promise<string> {
  return runPinned(wrkCommand(load, server.port, server.pid), LOAD_CORE, runSeconds(load) + TIMEOUT_SECONDS)
}
