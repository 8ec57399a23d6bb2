import { reasonOf } from '../../core/errors.ts'
import type { Bar } from './bars.ts'
import { type Case, type CaseResult, runCase } from './case.ts'
import { LOAD_CORE } from './cores.ts'
import { describeCommit, describeMachine, type Environment, findObstacle } from './machine.ts'
import { endChildrenOnExit, pinSelf } from './processes.ts'

/** One benchmark: its loads, and what Scherzo is held to under them. */
export interface Suite {
  /** Programs that it needs on the path. */
  programs: readonly string[]
  /** The most that are open at once. */
  connections: number
  versions: Record<string, string>
  cases: readonly Case[]
  bars: readonly Bar[]
}

export interface SuiteResult {
  environment: Environment
  results: readonly CaseResult[]
  bars: readonly Bar[]
  /** What ended a case before its time, such as a wrong answer. */
  failures: readonly string[]
}

/** Why the suite can't run on this machine, or null. */
export function obstacleTo({ programs, connections }: Suite): string | null {
  return findObstacle(['taskset', ...programs], connections)
}

/**
 * A case that fails costs no other its results.
 *
 * @throws what `obstacleTo()` tells
 */
export async function runSuite(
  suite: Suite,
  repeats: number,
  log: (line: string) => void
): Promise<SuiteResult> {
  const obstacle = obstacleTo(suite)
  if (obstacle !== null) throw new Error(obstacle)
  endChildrenOnExit()
  pinSelf(LOAD_CORE)

  const environment = { ...describeMachine(), commit: describeCommit(), ...suite.versions }
  const results: CaseResult[] = []
  const failures: string[] = []
  for (const benchCase of suite.cases) {
    try {
      results.push(await runCase(benchCase, repeats, log))
    } catch (error) {
      failures.push(reasonOf(error))
      log(`FAILED: ${reasonOf(error)}`)
    }
  }
  return { environment, results, bars: suite.bars, failures }
}
