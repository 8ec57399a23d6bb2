// npm run bench:delivery -- --help

import { writeFileSync } from 'node:fs'
import { barsFor, casesFor } from './delivery/cases.ts'
import { type DeliveryOptions, help, parseDeliveryOptions } from './delivery/options.ts'
import { type CaseResult, runCase } from './harness/case.ts'
import { LOAD_CORE } from './harness/cores.ts'
import { describeCommit, describeMachine, findObstacle, versionOf } from './harness/machine.ts'
import { endChildrenOnExit, pinSelf } from './harness/processes.ts'
import { renderReport, toJson } from './harness/report.ts'

try {
  const options = parseDeliveryOptions(process.argv.slice(2))
  if (options.help) console.log(help)
  else await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(options: DeliveryOptions): Promise<void> {
  const obstacle = findObstacle(['taskset'], options.subscribers)
  if (obstacle !== null) throw new Error(obstacle)
  endChildrenOnExit()
  pinSelf(LOAD_CORE)

  const environment = {
    ...describeMachine(),
    commit: describeCommit(),
    'Node.js': process.version,
    Scherzo: versionOf('.'),
    ws: versionOf('node_modules/ws')
  }
  const results: CaseResult[] = []
  for (const benchCase of casesFor(options)) results.push(await runCase(benchCase, options.repeats, log))

  console.log(renderReport(environment, results, barsFor(options)))
  if (options.json !== null) writeFileSync(options.json, toJson(environment, results))
}

function log(line: string): void {
  console.error(line)
}
