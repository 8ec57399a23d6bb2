import { element, write } from './elements.js'
import { NONE, count, duration, percent, rate, size } from './format.js'

/** @import { Point } from '../point.ts' */
/** @import { Now } from '../feed.ts' */

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} title
 * @property {(now: Now, point: Point | undefined) => string} value
 * @property {(now: Now, point: Point | undefined) => string} detail
 */

/** @type {readonly Figure[]} */
const FIGURES = [
  {
    name: 'requests',
    title: 'Requests',
    value: (_now, point) =>
      point === undefined ? NONE : rate(point.lanes.fast.requests + point.lanes.main.requests),
    detail: ({ status }) => `${count(requestsIn(status.totals.requests))} in total`
  },
  {
    name: 'latency',
    title: 'Latency, p99',
    value: (_now, point) => duration(slowest(point)),
    detail: (_now, point) => (slowest(point) === null ? 'no requests' : 'of the slower lane')
  },
  {
    name: 'errors',
    title: 'Server errors',
    value: ({ status }) => count(requestsIn(status.totals.requests, '5xx')),
    detail: ({ status }) => `${count(requestsIn(status.totals.requests, '4xx'))} client errors`
  },
  {
    name: 'connections',
    title: 'Connections',
    value: ({ status }) => count(status.totals.openConnections),
    detail: ({ status }) => `${count(status.totals.openRequests)} open requests`
  },
  {
    name: 'deliveries',
    title: 'Deliveries',
    value: (_now, point) => rate(point?.delivered ?? null),
    detail: (_now, point) => `${rate(point?.published ?? null)} published`
  },
  {
    name: 'subscriptions',
    title: 'Subscriptions',
    value: ({ hub }) => count(hub.subscriptions),
    detail: ({ hub }) => `${count(hub.members)} in the hub`
  },
  {
    name: 'loops',
    title: 'Busiest loop',
    value: ({ status }) => percent(most(status.workers.map(({ utilisation }) => utilisation))),
    detail: ({ status }) =>
      `${duration(most(status.workers.map(({ loopDelay }) => loopDelay.p99)))} late, p99`
  },
  {
    name: 'memory',
    title: 'Heap',
    value: ({ status }) => size(status.workers.reduce((sum, { memory }) => sum + memory.heapUsed, 0)),
    detail: ({ status }) =>
      `${count(status.workers.length)} ${status.workers.length === 1 ? 'worker' : 'workers'}`
  }
]

/** The few figures on top. */
export class Figures {
  /** @type {{ figure: Figure, value: Element, detail: Element }[]} */
  #shown

  /** @param {Element} place */
  constructor(place) {
    this.#shown = FIGURES.map((figure) => {
      const value = element('dd', { class: 'value' }, [NONE])
      const detail = element('dd', { class: 'detail' })
      place.append(
        element('div', { 'data-figure': figure.name }, [element('dt', {}, [figure.title]), value, detail])
      )
      return { figure, value, detail }
    })
  }

  /**
   * @param {Now} now
   * @param {Point | undefined} point the latest
   */
  show(now, point) {
    for (const { figure, value, detail } of this.#shown) {
      write(value, figure.value(now, point))
      write(detail, figure.detail(now, point))
    }
  }
}

/**
 * @param {Now['status']['totals']['requests']} requests
 * @param {string} [statusClass] all of them, if it is left out
 * @returns {number}
 */
export function requestsIn({ fast, main }, statusClass) {
  return [fast, main]
    .flatMap((lane) => Object.entries(lane))
    .reduce(
      (sum, [name, requests]) => sum + (statusClass === undefined || name === statusClass ? requests : 0),
      0
    )
}

/**
 * @param {Point | undefined} point
 * @returns {number | null}
 */
function slowest(point) {
  return most([point?.lanes.fast.p99, point?.lanes.main.p99].filter((value) => typeof value === 'number'))
}

/**
 * @param {readonly number[]} values
 * @returns {number | null}
 */
function most(values) {
  return values.length === 0 ? null : Math.max(...values)
}
