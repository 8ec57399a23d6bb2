// npm run bench:broadcast -- --help

import { writeFileSync } from 'node:fs'
import { barsFor } from './broadcast/bars.ts'
import { casesFor, CHANNELS_SUBSCRIBERS, IDLE_SUBSCRIBERS } from './broadcast/cases.ts'
import { type BroadcastOptions, help, parseBroadcastOptions } from './broadcast/options.ts'
import { type CaseResult, runCase } from './harness/case.ts'
import { LOAD_CORE } from './harness/cores.ts'
import { describeCommit, describeMachine, findObstacle } from './harness/machine.ts'
import { endChildrenOnExit, pinSelf } from './harness/processes.ts'
import { renderReport, toJson } from './harness/report.ts'
import { broadcasters, broadcasterVersions } from './peers/broadcasters.ts'
import { installBun, isPeerInstalled } from './peers/install.ts'

try {
  const options = parseBroadcastOptions(process.argv.slice(2))
  if (options.help) console.log(help)
  else await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(options: BroadcastOptions): Promise<void> {
  const obstacle = findObstacle(['taskset'], mostConnections(options))
  if (obstacle !== null) throw new Error(obstacle)
  endChildrenOnExit()
  pinSelf(LOAD_CORE)

  const installed = {
    bunProgram: options.servers.includes('bun') ? installBun(log) : null,
    hasSocketIo: options.servers.includes('socket.io') && isPeerInstalled('socket.io', log)
  }
  const environment = {
    ...describeMachine(),
    commit: describeCommit(),
    ...broadcasterVersions(installed)
  }
  const results: CaseResult[] = []
  for (const benchCase of casesFor(options, broadcasters(options.servers, installed))) {
    results.push(await runCase(benchCase, options.repeats, log))
  }

  console.log(renderReport(environment, results, barsFor(options)))
  if (options.json !== null) writeFileSync(options.json, toJson(environment, results))
}

function mostConnections({ only, subscribers }: BroadcastOptions): number {
  return Math.max(
    ...(only.includes('throughput') ? subscribers : []),
    only.includes('channels') ? CHANNELS_SUBSCRIBERS : 0,
    only.includes('memory') ? 2 * IDLE_SUBSCRIBERS : 0
  )
}

function log(line: string): void {
  console.error(line)
}
