import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderBars, renderCases, toJson } from '../harness/report.ts'
import type { SuiteResult } from '../harness/suite.ts'
import { type Chart, chartsOf } from './charts.ts'

export interface NamedResult {
  name: string
  /** The command that repeats it. */
  command: string
  result: SuiteResult
}

/** Benchmarks that were not run, and why. */
export type LeftOut = ReadonlyMap<string, string>

/** Writes the page, its charts and every sample into the folder, in place of what was there. */
export function writeResults(folder: string, measured: readonly NamedResult[], leftOut: LeftOut): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const charts = new Map(measured.map(({ name, result }) => [name, chartsOf(name, result.results)]))
  for (const { file, svg } of [...charts.values()].flat()) writeFileSync(join(folder, file), svg)
  for (const { name, result } of measured) {
    writeFileSync(join(folder, `${name}.json`), `${toJson(result.environment, result.results)}\n`)
  }
  writeFileSync(join(folder, 'README.md'), renderPage(measured, charts, leftOut))
}

/** Exported for its test. */
export function renderPage(
  measured: readonly NamedResult[],
  charts: ReadonlyMap<string, readonly Chart[]>,
  leftOut: LeftOut
): string {
  const results = measured.flatMap(({ result }) => result.results)
  const environment = Object.assign({}, ...measured.map(({ result }) => result.environment)) as object
  return [
    '# Results',
    '',
    'Written by `npm run bench`. Figures are medians with [min to max]; ratios are taken within each repeat. Servers take turns,',
    'the order changes with each repeat, and every answer is checked.',
    '',
    ...Object.entries(environment).map(([name, value]) => `- ${name}: ${String(value)}`),
    ...[...leftOut].map(([name, reason]) => `- ${name} was left out: ${reason}`),
    ...measured.flatMap(({ result }) => result.failures.map((failure) => `- FAILED: ${failure}`)),
    '',
    '## What Scherzo is held to',
    '',
    ...renderBars(
      results,
      measured.flatMap(({ result }) => result.bars)
    ),
    ...measured.flatMap(({ name, command, result }) => [
      '',
      `## ${name}`,
      '',
      `\`${command}\``,
      ...(charts.get(name) ?? []).flatMap(({ title, file }) => ['', `![${title}](${file})`]),
      ...renderCases(result.results, '###')
    ]),
    ''
  ].join('\n')
}
