// npm run bench:modes -- --help

import { type CaseResult, runCase } from './harness/case.ts'
import { LOAD_CORE } from './harness/cores.ts'
import { describeCommit, describeMachine, findObstacle, versionOf } from './harness/machine.ts'
import { endChildrenOnExit, pinSelf } from './harness/processes.ts'
import { renderReport } from './harness/report.ts'
import { modeBarsFor, modeCasesFor } from './modes/cases.ts'
import { help, type ModeOptions, parseModeOptions } from './modes/options.ts'

try {
  const options = parseModeOptions(process.argv.slice(2))
  if (options.help) console.log(help)
  else await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(options: ModeOptions): Promise<void> {
  const obstacle = findObstacle(['taskset', 'wrk'], Math.max(...options.connections))
  if (obstacle !== null) throw new Error(obstacle)
  endChildrenOnExit()
  pinSelf(LOAD_CORE)

  const results: CaseResult[] = []
  for (const benchCase of modeCasesFor(options))
    results.push(await runCase(benchCase, options.repeats, (line) => console.error(line)))
  const environment = {
    ...describeMachine(),
    commit: describeCommit(),
    'Node.js': process.version,
    Fastify: versionOf('node_modules/fastify')
  }
  console.log(renderReport(environment, results, modeBarsFor(options)))
}
