import { time } from './format.js'

/** @import uPlot from './uplot.js' */
/** @import { ChartOptions, Line } from './chart.js' */

/** Seconds on the horizontal axis. */
const WINDOW = 300
export const HEIGHT = 190
const AXIS = 54
const FONT = '12px system-ui, sans-serif'

/**
 * How uPlot draws a chart, with the colours of the style sheet as they are now.
 *
 * @param {ChartOptions} options
 * @param {readonly Line[]} lines
 * @param {{ width: number, end: () => number, onCursor: () => void }} plot where the time axis ends, in seconds since 1970
 * @returns {uPlot.Options}
 */
export function plotOptions(options, lines, { width, end, onCursor }) {
  const styles = getComputedStyle(document.documentElement)
  const color = (/** @type {string} */ name) => styles.getPropertyValue(`--${name}`).trim()
  const axis = { stroke: color('quiet'), font: FONT, ticks: { show: false } }
  const grid = { stroke: color('grid'), width: 1 }
  const { scale, format, axisFormat, least = 4 } = options
  return {
    width,
    height: HEIGHT,
    padding: [10, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'dashboard' }, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [end() - WINDOW, end()] },
      y: {
        range: scale === 'linear' ? linear(least) : RANGES[scale],
        ...(scale === 'logarithmic' ? { distr: 3 } : {})
      }
    },
    series: [
      {},
      ...lines.map((line, index) => ({
        label: line.label,
        stroke: color(`line-${line.color}`),
        width: 1.5,
        points: { show: false },
        ...(line.isDashed === true ? { dash: [4, 3] } : {}),
        ...(index === 0 && scale === 'linear' ? { fill: `${color(`line-${line.color}`)}1f` } : {})
      }))
    ],
    axes: [
      {
        ...axis,
        grid: { show: false },
        incrs: [60, 120, 300],
        space: 46,
        size: 24,
        gap: 4,
        values: (_plot, splits) => splits.map(clock)
      },
      {
        ...axis,
        grid,
        size: AXIS,
        gap: 6,
        space: 36,
        ...(scale === 'logarithmic' ? { filter: powersOfTen, grid: { ...grid, filter: powersOfTen } } : {}),
        values: (_plot, splits) =>
          splits.map((value) => (value === null ? '' : (axisFormat ?? format)(value)))
      }
    ],
    hooks: { setCursor: [onCursor] }
  }
}

/** @typedef {(plot: uPlot, min: number | null, max: number | null) => [number, number]} Range */

/**
 * From 0 on, with room above the highest point.
 *
 * @param {number} least
 * @returns {Range}
 */
function linear(least) {
  return (_plot, _min, max) => [0, Math.max((max ?? 0) * 1.1, least)]
}

/** @type {Readonly<Record<'share' | 'logarithmic', Range>>} */
const RANGES = {
  share: () => [0, 1],
  logarithmic: (_plot, min, max) => [
    min === null ? 1e-5 : powerOfTen(min, Math.floor),
    max === null ? 1e-1 : powerOfTen(max * 1.01, Math.ceil)
  ]
}

/**
 * @param {number} value
 * @param {(exponent: number) => number} round
 * @returns {number}
 */
function powerOfTen(value, round) {
  return 10 ** round(Math.log10(value))
}

/**
 * The lines between them say nothing that a reader looks for.
 *
 * @param {uPlot} _plot
 * @param {readonly number[]} splits
 * @returns {(number | null)[]}
 */
function powersOfTen(_plot, splits) {
  return splits.map((value) => (Math.abs(Math.log10(value) % 1) < 1e-6 ? value : null))
}

/**
 * @param {number} seconds since 1970
 * @returns {string}
 */
function clock(seconds) {
  return time(seconds).slice(0, 5)
}
