import { type Bar, compare, isMet, measureBar } from './bars.ts'
import type { CaseResult, Column } from './case.ts'
import type { Environment } from './machine.ts'
import { figureOf, isSaturated, type Sample } from './sample.ts'
import { summarise, type Summary } from './statistics.ts'

const UNSATURATED = "that rate is the load generator's, the CPU time is the server's own"

/** Markdown, to be read in a terminal and pasted into an issue. */
export function renderReport(
  environment: Environment,
  results: readonly CaseResult[],
  bars: readonly Bar[]
): string {
  return [
    ...Object.entries(environment).map(([name, value]) => `- ${name}: ${value}`),
    '',
    'Figures are medians with [min to max]; ratios are taken within each repeat.',
    ...renderCases(results, '##'),
    ...(bars.length === 0 ? [] : ['', '## Bars', '', ...renderBars(results, bars)])
  ].join('\n')
}

/** Every sample, for other programs. */
export function toJson(environment: Environment, results: readonly CaseResult[]): string {
  const cases = results.map(({ case: { name, load }, samples }) => ({
    name,
    load,
    samples: Object.fromEntries(samples)
  }))
  return JSON.stringify({ environment, cases }, null, 2)
}

/** @param level what the heading of each case begins with */
export function renderCases(results: readonly CaseResult[], level: string): string[] {
  return results.flatMap((result) => renderCase(result, level))
}

/** A table of what was asked for and what was measured. */
export function renderBars(results: readonly CaseResult[], bars: readonly Bar[]): string[] {
  const rows = bars.map((bar) => renderBar(bar, findResult(results, bar)))
  return renderTable(['case', 'figure', 'wanted', 'measured', 'verdict'], rows)
}

function renderCase(result: CaseResult, level: string): string[] {
  const { case: benchCase, samples } = result
  const ours = benchCase.servers[0]?.name ?? ''
  const titles = [
    'server',
    ...benchCase.columns.map(({ title }) => title),
    ...benchCase.compared.map(({ title }) => `${ours} / this, ${title}`)
  ]
  const rows = benchCase.servers.map(({ name }) => {
    const figures = benchCase.columns.map((column) => renderColumn(column, samples.get(name) ?? []))
    const ratios = benchCase.compared.map(({ figure }) =>
      name === ours ? '' : renderRatio(compare(result, ours, name, figure))
    )
    return [name].concat(figures, ratios)
  })
  return [
    '',
    `${level} ${benchCase.name}`,
    '',
    `\`${benchCase.load}\``,
    '',
    ...renderTable(titles, rows),
    ...renderRemarks(samples)
  ]
}

function renderColumn({ figure, digits, scale = 1 }: Column, samples: readonly Sample[]): string {
  return renderSummary(
    summarise(samples.map((sample) => figureOf(sample, figure) * scale)),
    digits,
    samples.length > 1
  )
}

function renderRemarks(samples: CaseResult['samples']): string[] {
  const remarks: string[] = []
  for (const [name, ofServer] of samples) {
    const idle = ofServer.filter((sample) => !isSaturated(sample)).length
    if (idle > 0)
      remarks.push(`${name} was not saturated in ${idle} of ${ofServer.length} repeats: ${UNSATURATED}`)
    for (const [repeat, { warnings }] of ofServer.entries()) {
      remarks.push(...warnings.map((warning) => `${name}, repeat ${repeat + 1}: ${warning}`))
    }
  }
  return remarks.length === 0 ? [] : ['', ...remarks.map((remark) => `- ${remark}`)]
}

function renderBar(bar: Bar, result: CaseResult | undefined): string[] {
  const measured = measureBar(result, bar)
  const wanted = 'atLeast' in bar.wanted ? `>= ${bar.wanted.atLeast}` : `<= ${bar.wanted.atMost}`
  const isRatio = bar.peer !== null
  return [
    bar.case,
    `${bar.title}, ${bar.server}${isRatio ? ` / ${bar.peer}` : ''}`,
    wanted,
    measured === null ? '' : renderSummary(measured, isRatio ? 3 : 0, true),
    measured === null ? 'not measured' : renderVerdict(bar, measured.median, result)
  ]
}

function renderVerdict(bar: Bar, value: number, result: CaseResult | undefined): string {
  const names = bar.peer === null ? [bar.server] : [bar.server, bar.peer]
  const samples = names.flatMap((name) => result?.samples.get(name) ?? [])
  const isPaced = bar.figure === 'rate' && !samples.every(isSaturated)
  return `${isMet(bar, value) ? 'met' : 'NOT MET'}${isPaced ? ', not saturated throughout' : ''}`
}

function findResult(results: readonly CaseResult[], bar: Bar): CaseResult | undefined {
  return results.find((result) => result.case.name === bar.case)
}

function renderRatio(ratio: Summary | null): string {
  return ratio === null ? '' : renderSummary(ratio, 3, true)
}

function renderSummary({ median, min, max }: Summary, digits: number, withRange: boolean): string {
  const range = withRange ? ` [${renderNumber(min, digits)} to ${renderNumber(max, digits)}]` : ''
  return renderNumber(median, digits) + range
}

function renderNumber(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function renderTable(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  )
  const renderRow = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [renderRow(titles), renderRow(widths.map((width) => '-'.repeat(width))), ...rows.map(renderRow)]
}
