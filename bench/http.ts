// npm run bench:http -- --help

import { writeFileSync } from 'node:fs'
import { type CaseResult, runCase } from './harness/case.ts'
import { LOAD_CORE } from './harness/cores.ts'
import {
  describeCommit,
  describeMachine,
  type Environment,
  findObstacle,
  versionOf
} from './harness/machine.ts'
import { endChildrenOnExit, pinSelf } from './harness/processes.ts'
import { renderReport, toJson } from './harness/report.ts'
import { barsFor } from './http/bars.ts'
import { casesFor, IDLE_CONNECTIONS, type Servers } from './http/cases.ts'
import { help, type Options, parseOptions } from './http/options.ts'
import { installBun } from './peers/install.ts'
import { bun, fastify, nodeHttp, peerVersions, scherzo } from './peers/peers.ts'

try {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) console.log(help)
  else await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(options: Options): Promise<void> {
  const obstacle = findObstacle(['taskset', ...(usesWrk(options) ? ['wrk'] : [])], mostConnections(options))
  if (obstacle !== null) throw new Error(obstacle)
  endChildrenOnExit()
  pinSelf(LOAD_CORE)

  const bunProgram = options.servers.includes('bun') ? installBun(log) : null
  const environment = describeEnvironment(bunProgram)
  const results: CaseResult[] = []
  for (const benchCase of casesFor(options, chooseServers(options, bunProgram))) {
    results.push(await runCase(benchCase, options.repeats, log))
  }

  console.log(renderReport(environment, results, barsFor(options)))
  if (options.json !== null) writeFileSync(options.json, toJson(environment, results))
}

function usesWrk({ only }: Options): boolean {
  return only.some((kind) => kind === 'plaintext' || kind === 'json' || kind === 'mounted')
}

function mostConnections({ only, connections }: Options): number {
  return Math.max(
    ...(only.includes('plaintext') ? connections : []),
    only.includes('memory') ? 2 * IDLE_CONNECTIONS : 0
  )
}

function chooseServers({ servers }: Options, bunProgram: string | null): Servers {
  return {
    ...(servers.includes('scherzo') && { scherzo }),
    ...(servers.includes('fastify') && { fastify }),
    ...(servers.includes('node') && { node: nodeHttp }),
    ...(servers.includes('bun') && bunProgram !== null && { bun: bun(bunProgram) })
  }
}

function describeEnvironment(bunProgram: string | null): Environment {
  return {
    ...describeMachine(),
    commit: describeCommit(),
    ...peerVersions(bunProgram),
    autocannon: versionOf('node_modules/autocannon')
  }
}

function log(line: string): void {
  console.error(line)
}
