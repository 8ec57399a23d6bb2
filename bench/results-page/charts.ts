import { compare } from '../harness/bars.ts'
import type { CaseResult, CurvePoint } from '../harness/case.ts'
import { figureOf } from '../harness/sample.ts'
import { summarise, type Summary } from '../harness/statistics.ts'
import { type BarRow, drawBars } from './bar-chart.ts'
import { drawLines, type Line } from './line-chart.ts'

export interface Chart {
  title: string
  /** The name of its file, without the folder. */
  file: string
  svg: string
}

/** What the results of one benchmark look like: ratios, curves over sizes, and each case's servers side by side. */
export function chartsOf(suite: string, results: readonly CaseResult[]): Chart[] {
  const curves = Map.groupBy(
    results.filter((result) => result.case.point !== undefined),
    (result) => result.case.point!.curve
  )
  return [
    ...ratioCharts(suite, results),
    ...[...curves].flatMap(([curve, ofCurve]) => curveChart(suite, curve, ofCurve)),
    ...results.filter(({ case: { point } }) => point === undefined).map((result) => caseChart(suite, result))
  ]
}

/** One chart for the figure that comes first in each case. */
function ratioCharts(suite: string, results: readonly CaseResult[]): Chart[] {
  const peers: string[] = []
  const rows = results.flatMap((result): BarRow[] => {
    const [figure] = result.case.compared
    const [ours, ...others] = result.case.servers
    if (figure === undefined || ours === undefined) return []
    return others.flatMap(({ name }) => {
      const value = compare(result, ours.name, name, figure.figure)
      if (value === null || !isDrawable(value)) return []
      if (!peers.includes(name)) peers.push(name)
      return [{ label: `${nameOf(result)} / ${name}`, value, series: peers.indexOf(name) }]
    })
  })
  if (rows.length === 0) return []
  const title = `${suite}: the first server / each other`
  return [chart(`${suite}-ratios`, title, drawBars({ title, rows, line: 1, isLogarithmic: true }))]
}

function curveChart(suite: string, curve: string, results: readonly CaseResult[]): Chart[] {
  const points = results.map((result) => ({ result, point: result.case.point as CurvePoint }))
  const names = [...new Set(results.flatMap(({ samples }) => [...samples.keys()]))]
  const lines = names.map((name): Line => {
    const ofServer = points.flatMap(({ result, point }) => {
      const y = summaryOf(result, name)
      return y === null ? [] : [{ x: point.x, y }]
    })
    return { name, points: ofServer.toSorted((a, b) => a.x - b.x) }
  })
  const drawable = lines.filter((line) => line.points.length > 1)
  if (drawable.length === 0) return []
  const { xTitle } = points[0]!.point
  return [chart(`${suite}-${curve}`, curve, drawLines({ title: curve, xTitle, lines: drawable }))]
}

function caseChart(suite: string, result: CaseResult): Chart {
  const [column] = result.case.compared
  const rows = [...result.samples.keys()].flatMap((name, index): BarRow[] => {
    const value = summaryOf(result, name)
    return value === null ? [] : [{ label: name, value, series: index }]
  })
  const title = `${result.case.name}: ${column?.title ?? ''}`
  return chart(`${suite}-${result.case.name}`, title, drawBars({ title, rows }))
}

/** Of the figure that the case compares first. */
function summaryOf({ case: { compared }, samples }: CaseResult, server: string): Summary | null {
  const [column] = compared
  const ofServer = samples.get(server) ?? []
  if (column === undefined || ofServer.length === 0) return null
  const { figure, scale = 1 } = column
  const summary = summarise(ofServer.map((sample) => figureOf(sample, figure) * scale))
  return isDrawable(summary) ? summary : null
}

function isDrawable({ min, max }: Summary): boolean {
  return min > 0 && Number.isFinite(max)
}

function nameOf({ case: { name, compared } }: CaseResult): string {
  return `${name.replace(/,? \d+-byte messages/, '')}, ${compared[0]?.title ?? ''}`
}

function chart(name: string, title: string, svg: string): Chart {
  const file = `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')}.svg`
  return { title, file, svg }
}
