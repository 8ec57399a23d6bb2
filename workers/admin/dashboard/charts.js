import { count, duration, percent, rate, size, tick } from './format.js'

/** @import { ChartOptions, Line } from './chart.js' */
/** @import { Point } from '../point.ts' */

/** More lines than this are a tangle: then there is one each for the busiest and the idlest worker, and for their mean. */
const WORKER_LINES = 8

/** @type {readonly ChartOptions[]} */
export const CHARTS = [
  {
    title: 'Requests by lane',
    scale: 'linear',
    format: rate,
    axisFormat: tick,
    empty: 'Nothing has been recorded yet',
    lines: () => [
      { label: 'fast', color: 1, value: ({ lanes }) => lanes.fast.requests },
      { label: 'main', color: 2, value: ({ lanes }) => lanes.main.requests }
    ]
  },
  {
    title: 'Latency',
    scale: 'logarithmic',
    format: duration,
    empty: 'No requests in the last five minutes',
    lines: () => [
      { label: 'fast p99', color: 1, value: ({ lanes }) => lanes.fast.p99 },
      { label: 'p50', color: 1, isDashed: true, value: ({ lanes }) => lanes.fast.p50 },
      { label: 'main p99', color: 2, value: ({ lanes }) => lanes.main.p99 },
      { label: 'p50', color: 2, isDashed: true, value: ({ lanes }) => lanes.main.p50 }
    ]
  },
  {
    title: 'Connections',
    scale: 'linear',
    format: count,
    axisFormat: tick,
    empty: 'Nothing has been recorded yet',
    lines: () => [
      { label: 'open', color: 1, value: ({ openConnections }) => openConnections },
      { label: 'in the hub', color: 3, value: ({ members }) => members }
    ]
  },
  {
    title: 'Deliveries',
    scale: 'linear',
    format: rate,
    axisFormat: tick,
    empty: 'Nothing has been recorded yet',
    lines: () => [
      { label: 'delivered', color: 3, value: ({ delivered }) => delivered },
      { label: 'published', color: 4, value: ({ published }) => published }
    ]
  },
  {
    title: 'Event loops',
    scale: 'share',
    format: percent,
    empty: 'Nothing has been recorded yet',
    lines: workerLines
  },
  {
    title: 'Slow subscribers',
    scale: 'linear',
    least: 1000,
    format: size,
    empty: 'Nothing has been recorded yet',
    note: ({ hub }) => `${count(hub.skipped)} skipped, ${count(hub.slowClosed)} closed`,
    lines: () => [{ label: 'held back', color: 2, value: ({ heldBytes }) => heldBytes }]
  },
  {
    title: 'Pool',
    scale: 'linear',
    format: count,
    axisFormat: tick,
    empty: 'Nothing has been recorded yet',
    isShown: (_points, { status }) => status.totals.pool !== null,
    note: ({ status }) => `${count(status.totals.pool?.threads ?? 0)} threads`,
    lines: () => [
      { label: 'waiting', color: 2, value: ({ poolQueued }) => poolQueued },
      { label: 'running', color: 1, value: ({ poolRunning }) => poolRunning }
    ]
  },
  {
    title: 'Compression',
    scale: 'share',
    format: percent,
    empty: 'Nothing was compressed in the last five minutes',
    isShown: (points) => points.some(({ compressionRatio }) => compressionRatio !== null),
    lines: () => [
      { label: 'of the size before', color: 6, value: ({ compressionRatio }) => compressionRatio }
    ]
  }
]

/**
 * @param {readonly Point[]} points
 * @returns {readonly Line[]}
 */
function workerLines(points) {
  const workers = points.at(-1)?.utilisations.map(([worker]) => worker) ?? []
  if (workers.length > WORKER_LINES) {
    return [
      { label: 'busiest', color: 2, value: (point) => summary(point, (all) => Math.max(...all)) },
      { label: 'mean', color: 1, value: (point) => summary(point, mean) },
      { label: 'idlest', color: 3, value: (point) => summary(point, (all) => Math.min(...all)) }
    ]
  }
  return workers.map((worker, index) => ({
    label: `worker ${worker}`,
    color: index + 1,
    value: ({ utilisations }) => utilisations.find(([number]) => number === worker)?.[1] ?? null
  }))
}

/**
 * @param {Point} point
 * @param {(all: readonly number[]) => number} of
 * @returns {number | null}
 */
function summary({ utilisations }, of) {
  return utilisations.length === 0 ? null : of(utilisations.map(([, utilisation]) => utilisation))
}

/**
 * @param {readonly number[]} all
 * @returns {number}
 */
function mean(all) {
  return all.reduce((sum, each) => sum + each, 0) / all.length
}
