import type { Summary } from '../harness/statistics.ts'
import { element, inShort, MARGIN, picture, seriesClass, text } from './svg.ts'

export interface BarRow {
  label: string
  value: Summary
  /** Bars of one series have one colour. @default 0 */
  series?: number
}

export interface BarChart {
  title: string
  rows: readonly BarRow[]
  /** Where a line stands that bars are compared with. */
  line?: number
  isLogarithmic?: boolean
}

/** A bar for each row, with a whisker from the least to the most. */
export function drawBars({ title, rows, line, isLogarithmic = false }: BarChart): string {
  const height = TOP + rows.length * ROW + MARGIN
  const left = MARGIN + Math.max(...rows.map(({ label }) => label.length)) * LETTER
  const scale = scaleOf(rows, line, isLogarithmic, left)
  const marks = rows.flatMap((row, index) => drawRow(row, TOP + index * ROW, left, scale))
  if (line !== undefined) {
    const x = scale(line)
    marks.push(element('line', { class: 'mark', x1: x, x2: x, y1: TOP - 4, y2: height - MARGIN + 4 }))
    marks.push(text(String(line), { class: 'quiet middle', x, y: TOP - 8 }))
  }
  return picture(title, Math.max(left + BARS + RIGHT, title.length * LETTER + 2 * MARGIN), height, marks)
}

const TOP = 56
const ROW = 26
/** About as wide as a letter is. */
const LETTER = 7.2
const BARS = 400
const RIGHT = 90

type Scale = (value: number) => number

function scaleOf(
  rows: readonly BarRow[],
  line: number | undefined,
  isLogarithmic: boolean,
  left: number
): Scale {
  const values = rows.flatMap(({ value: { min, max } }) => [min, max])
  if (line !== undefined) values.push(line)
  const most = Math.max(...values)
  if (!isLogarithmic) return (value) => left + (value / most) * BARS
  const least = Math.min(...values) / 1.5
  return (value) => left + (Math.log(value / least) / Math.log(most / least)) * BARS
}

function drawRow({ label, value, series = 0 }: BarRow, y: number, left: number, scale: Scale): string[] {
  const middle = y + ROW / 2
  const { median, min, max } = value
  return [
    text(label, { class: 'end', x: left - 10, y: middle + 4 }),
    element('rect', {
      class: seriesClass(series),
      x: left,
      y: y + 5,
      width: Math.max(1, scale(median) - left),
      height: ROW - 10
    }),
    element('line', { class: 'mark', x1: scale(min), x2: scale(max), y1: middle, y2: middle }),
    text(inShort(median), { x: Math.max(scale(max), scale(median)) + 8, y: middle + 4 })
  ]
}
