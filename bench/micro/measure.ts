// node bench/micro/measure.ts [FOLDER OF A CHECKOUT]: prints one line of JSON with nanoseconds for each case.

import { pathToFileURL } from 'node:url'
import { loadCases, type MicroCase } from './cases.ts'

const SAMPLES = 9
const SAMPLE_MILLISECONDS = 20
const WARM_UP_MILLISECONDS = 150

const root = pathToFileURL(`${process.argv[2] ?? '.'}/`)
const cases = await loadCases(root)
const results: Record<string, number[]> = {}
for (const each of cases) results[each.name] = measure(each)
console.log(JSON.stringify(results))

function measure({ run }: MicroCase): number[] {
  let count = 1000
  for (const end = performance.now() + WARM_UP_MILLISECONDS; performance.now() < end;) {
    const taken = time(run, count)
    count = Math.max(1000, Math.round((count * SAMPLE_MILLISECONDS) / Math.max(taken, 0.1)))
  }
  return Array.from({ length: SAMPLES }, () => (time(run, count) / count) * 1e6)
}

/** Milliseconds of CPU time: it holds still when the machine does not. */
function time(run: () => void, count: number): number {
  const start = process.cpuUsage()
  for (let index = 0; index < count; index++) run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
