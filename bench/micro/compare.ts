// npm run bench:micro -- --help

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../harness/machine.ts'
import { parsePositive } from '../harness/options.ts'
import { root } from '../harness/processes.ts'
import { rotate, summarise } from '../harness/statistics.ts'
import { compareFigures } from './verdict.ts'

const help = `Usage: npm run bench:micro -- [options] [BEFORE [AFTER]]

Measures the operations of the hot paths: scanner, table, composer, frames, rings. With BEFORE, a commit, compares it with
AFTER, a commit or by default the files as they are here, and flags what differs by more than noise; then it ends with 1 where
something has become slower.

  --processes N   Processes of each, by turns. Default: 6
  --help          Shows this`

/** By case, a figure for each process. */
type Figures = Map<string, number[]>

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      processes: { type: 'string', default: '6' },
      help: { type: 'boolean', default: false }
    }
  })
  const processes = parsePositive('--processes', values.processes, (value) => value >= 2)
  if (values.help) console.log(help)
  else run(positionals, processes)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

function run([before, after]: readonly string[], processes: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'scherzo-micro-'))
  try {
    const checkouts = [before, after].map((commit, index) => {
      return commit === undefined ? root : checkOut(commit, join(folder, String(index)))
    })
    const figures = measureByTurns(before === undefined ? [root] : checkouts, processes)
    for (const [name, value] of Object.entries(describeMachine())) console.log(`${name}: ${value}`)
    console.log(`Node.js: ${process.version}\n`)
    if (before === undefined) printFigures(figures[0]!)
    else printComparison(figures[0]!, figures[1]!)
  } finally {
    rmSync(folder, { recursive: true })
    execFileSync('git', ['worktree', 'prune'], { cwd: root })
  }
}

/** The cases are this checkout's, so that both commits are measured by the same code; dependencies are, too. */
function checkOut(commit: string, folder: string): string {
  try {
    execFileSync('git', ['worktree', 'add', '--detach', '--quiet', folder, commit], {
      cwd: root,
      stdio: 'pipe'
    })
  } catch {
    throw new Error(`"${commit}" is no commit of this repository`)
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

function measureByTurns(checkouts: readonly string[], processes: number): Figures[] {
  const figures = checkouts.map((): Figures => new Map())
  const indexes = checkouts.map((_, index) => index)
  for (let turn = 0; turn < processes; turn++) {
    for (const index of rotate(indexes, turn)) measureOnce(checkouts[index]!, figures[index]!)
  }
  return figures
}

function measureOnce(checkout: string, figures: Figures): void {
  const output = execFileSync('node', ['bench/micro/measure.ts', checkout], { cwd: root, encoding: 'utf8' })
  for (const [name, samples] of Object.entries(JSON.parse(output) as Record<string, number[]>)) {
    // The least: whatever else runs on the machine can only add to it.
    figures.set(name, [...(figures.get(name) ?? []), summarise(samples).min])
  }
}

function printFigures(figures: Figures): void {
  for (const [name, ofCase] of figures) {
    const { median, min, max } = summarise(ofCase)
    console.log(`${inNanoseconds(median)}  ${name} (${inNanoseconds(min)} to ${inNanoseconds(max)})`)
  }
}

function printComparison(before: Figures, after: Figures): void {
  for (const [name, figures] of before) {
    const comparison = compareFigures(figures, after.get(name) ?? [])
    const { change, noise, verdict } = comparison
    console.log(
      `${inNanoseconds(comparison.before)} -> ${inNanoseconds(comparison.after)}  ${inPercent(change)}` +
        ` (noise ${inPercent(noise)})  ${verdict.padEnd(13)}  ${name}`
    )
    if (verdict === 'slower') process.exitCode = 1
  }
}

function inNanoseconds(value: number): string {
  return `${value.toFixed(1).padStart(7)} ns`
}

function inPercent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)} %`
}
