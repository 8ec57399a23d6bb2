import type { Summary } from '../harness/statistics.ts'
import { element, inShort, MARGIN, picture, seriesClass, text } from './svg.ts'

export interface Line {
  name: string
  points: readonly { x: number; y: Summary }[]
}

export interface LineChart {
  title: string
  xTitle: string
  lines: readonly Line[]
}

/** Both axes are logarithmic: what doubles goes up by the same step everywhere. Whiskers go from the least to the most. */
export function drawLines({ title, xTitle, lines }: LineChart): string {
  const points = lines.flatMap((line) => line.points)
  const xs = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b)
  const ticks = decadesOf(points.flatMap(({ y }) => [y.min, y.max]))
  const x = logarithmic(xs[0]!, xs.at(-1)!, LEFT, WIDTH - RIGHT)
  const y = logarithmic(ticks[0]!, ticks.at(-1)!, HEIGHT - BOTTOM, TOP)
  return picture(title, WIDTH, HEIGHT, [
    ...ticks.flatMap((tick) => [
      element('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }),
      text(inShort(tick), { class: 'quiet end', x: LEFT - 8, y: y(tick) + 4 })
    ]),
    ...xs.map((value) =>
      text(value.toLocaleString('en-US'), { class: 'quiet middle', x: x(value), y: HEIGHT - BOTTOM + 20 })
    ),
    text(xTitle, { class: 'quiet middle', x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - MARGIN }),
    ...lines.flatMap((line, index) => drawLine(line, index, x, y)),
    ...drawNames(lines, y)
  ])
}

const WIDTH = 860
const HEIGHT = 380
const TOP = 50
const BOTTOM = 56
const LEFT = 70
const RIGHT = 150
const NAME_HEIGHT = 16

type Scale = (value: number) => number

function logarithmic(from: number, to: number, start: number, end: number): Scale {
  const whole = Math.log(to / from) || 1
  return (value) => start + (Math.log(value / from) / whole) * (end - start)
}

/** 1, 2 and 5 of each power of ten, as many as enclose the values. */
function decadesOf(values: readonly number[]): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const steps: number[] = []
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    steps.push(...[1, 2, 5].map((step) => step * 10 ** power))
  }
  const first = steps.findLastIndex((step) => step <= least)
  const last = steps.findIndex((step) => step >= most)
  return steps.slice(first, last + 1)
}

function drawLine({ points }: Line, index: number, x: Scale, y: Scale): string[] {
  const path = points.map(({ x: at, y: { median } }) => `${x(at).toFixed(1)},${y(median).toFixed(1)}`)
  return [
    element('polyline', { class: `line ${seriesClass(index)}`, points: path.join(' ') }),
    ...points.flatMap(({ x: at, y: { median, min, max } }) => [
      element('line', { class: `line ${seriesClass(index)}`, x1: x(at), x2: x(at), y1: y(min), y2: y(max) }),
      element('circle', { class: seriesClass(index), cx: x(at), cy: y(median), r: 4 })
    ])
  ]
}

/** Beside the ends of their lines, moved apart where these are close. */
function drawNames(lines: readonly Line[], y: Scale): string[] {
  const ends = lines
    .map(({ name, points }, index) => ({ name, index, y: y(points.at(-1)!.y.median) }))
    .toSorted((a, b) => a.y - b.y)
  let lowest = -Infinity
  return ends.map(({ name, index, y }) => {
    lowest = Math.max(y, lowest + NAME_HEIGHT)
    return text(name, { class: seriesClass(index), x: WIDTH - RIGHT + 12, y: lowest + 4 })
  })
}
