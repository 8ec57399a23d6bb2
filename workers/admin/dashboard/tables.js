import { requestsIn } from './figures.js'
import { NONE, age, count, duration, percent, rate, size } from './format.js'
import { Table } from './table.js'

/** @import { Column } from './table.js' */
/** @import { ChannelRow } from '../channel-census.ts' */
/** @import { Now } from '../feed.ts' */

/** @typedef {Now['status']['workers'][number] & { age: number, fastRate: number | null, mainRate: number | null }} WorkerRow */

/** @type {readonly Column<WorkerRow>[]} */
const WORKER_COLUMNS = [
  { title: 'Worker', value: ({ number }) => number, text: ({ number }) => String(number) },
  { title: 'State', isText: true, value: ({ state }) => state, text: ({ state }) => state },
  { title: 'Up for', value: (row) => row.age, text: (row) => age(row.age) },
  { title: 'Loop busy', value: (row) => row.utilisation, text: (row) => percent(row.utilisation) },
  {
    title: 'Loop late, p99',
    value: ({ loopDelay }) => loopDelay.p99,
    text: ({ loopDelay }) => duration(loopDelay.p99)
  },
  { title: 'Fast lane', value: ({ fastRate }) => fastRate, text: ({ fastRate }) => rate(fastRate) },
  { title: 'Main lane', value: ({ mainRate }) => mainRate, text: ({ mainRate }) => rate(mainRate) },
  {
    title: 'Requests',
    value: ({ requests }) => requestsIn(requests),
    text: ({ requests }) => count(requestsIn(requests))
  },
  {
    title: 'Connections',
    value: ({ openConnections }) => openConnections,
    text: ({ openConnections }) => count(openConnections)
  },
  { title: 'Heap', value: ({ memory }) => memory.heapUsed, text: ({ memory }) => size(memory.heapUsed) },
  { title: 'Restarts', value: ({ restarts }) => restarts, text: ({ restarts }) => count(restarts) },
  {
    title: 'Last failure',
    isText: true,
    value: ({ lastFailure }) => lastFailure ?? '',
    text: ({ lastFailure }) => lastFailure ?? NONE
  }
]

/** @type {readonly Column<ChannelRow>[]} */
const CHANNEL_COLUMNS = [
  { title: 'Channel', isText: true, value: ({ name }) => name, text: ({ name }) => name },
  {
    title: 'Subscribers',
    value: ({ subscribers }) => subscribers,
    text: ({ subscribers }) => count(subscribers)
  },
  { title: 'Messages', value: (row) => row.rate, text: (row) => rate(row.rate) },
  { title: 'In total', value: ({ messages }) => messages, text: ({ messages }) => count(messages) }
]

export class WorkerTable {
  /** @type {Table<WorkerRow>} */
  #table
  /** @type {Map<number, { at: number, fast: number, main: number }>} */
  #before = new Map()

  /** @param {Element} place */
  constructor(place) {
    this.#table = new Table(place, {
      label: 'Workers',
      columns: WORKER_COLUMNS,
      key: ({ threadId }) => threadId,
      empty: 'No worker is there',
      sorted: 0,
      isDescending: false
    })
  }

  /** @param {Now} now */
  show({ server, status }) {
    const before = this.#before
    this.#before = new Map()
    const rows = status.workers.map((worker) => {
      const counts = {
        at: status.uptime,
        fast: requestsIn({ fast: worker.requests.fast, main: {} }),
        main: requestsIn({ fast: {}, main: worker.requests.main })
      }
      this.#before.set(worker.threadId, counts)
      const then = before.get(worker.threadId)
      const seconds = counts.at - (then?.at ?? counts.at)
      const perSecond = (/** @type {'fast' | 'main'} */ lane) =>
        then === undefined || seconds <= 0 ? null : Math.max(0, counts[lane] - then[lane]) / seconds
      const startedAfter = Date.parse(worker.startedAt) / 1000 - server / 1000
      return {
        ...worker,
        age: status.uptime - startedAfter,
        fastRate: perSecond('fast'),
        mainRate: perSecond('main')
      }
    })
    this.#table.show(rows)
  }
}

export class ChannelTable {
  /** @type {Table<ChannelRow>} */
  #table

  /** @param {Element} place */
  constructor(place) {
    this.#table = new Table(place, {
      label: 'Channels',
      columns: CHANNEL_COLUMNS,
      key: ({ name }) => name,
      empty: 'No channel has a subscriber',
      sorted: 1,
      isDescending: true
    })
  }

  /** @param {Now} now */
  show({ channels }) {
    this.#table.show(channels.rows)
  }
}
