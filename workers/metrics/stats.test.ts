import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Histogram } from '../../core/broadcast/histogram.ts'
import { BATCH_BOUNDS, LAG_BOUNDS } from '../../core/broadcast/totals.ts'
import { COUNTERS, GAUGES, LANES, LATENCY_BOUNDS, STATUS_CLASSES, Stats } from './stats.ts'

test('everything is 0 at first', () => {
  const stats = new Stats()
  for (const counter of COUNTERS) equal(stats.counter(counter), 0, counter)
  for (const gauge of GAUGES) equal(stats.gauge(gauge), 0, gauge)
  for (const lane of LANES) {
    for (const statusClass of STATUS_CLASSES) equal(stats.requests(lane, statusClass), 0)
    deepEqual(stats.latency(lane), { bounds: LATENCY_BOUNDS, counts: emptyCounts(), sum: 0 })
  }
  deepEqual(stats.poolWait(), { bounds: LATENCY_BOUNDS, counts: emptyCounts(), sum: 0 })
})

test('every figure has cells of its own, and together they fill the memory', () => {
  const stats = new Stats()
  const cells = new Float64Array(stats.buffer)
  const filled = new Set<number>()
  const take = (change: () => void): void => {
    const before = [...cells]
    change()
    for (const [cell, value] of cells.entries()) {
      if (value === before[cell]) continue
      ok(!filled.has(cell), `cell ${cell} belongs to one figure`)
      filled.add(cell)
    }
    cells.fill(0)
  }
  for (const counter of COUNTERS) take(() => stats.count(counter))
  for (const gauge of GAUGES) take(() => stats.set(gauge, 1))
  for (const lane of LANES) {
    // Without a latency to count, only the cell of the class changes, and that of the latency is given back.
    for (const statusClass of STATUS_CLASSES) {
      take(() => {
        stats.countRequests(lane, statusClass * 100, 0, 1)
        cells[cells.findLastIndex((value) => value !== 0)] = 0
      })
    }
    take(() => {
      for (const seconds of [...LATENCY_BOUNDS, 11]) stats.countRequests(lane, 200, seconds, 1)
      cells[cells.findIndex((value) => value !== 0)] = 0
    })
  }
  take(() => {
    for (const seconds of [...LATENCY_BOUNDS, 11]) stats.countPoolWait(seconds)
  })
  const batches = new Histogram(BATCH_BOUNDS)
  const lags = new Histogram(LAG_BOUNDS)
  take(() => {
    for (const histogram of [batches, lags])
      for (const bound of [...histogram.bounds, Infinity]) histogram.observe(bound, 1)
    stats.setHub(batches, lags)
  })
  equal(filled.size, cells.length)
})

test('counters add up, gauges are replaced', () => {
  const stats = new Stats()
  stats.count('connections')
  stats.count('connections', 4)
  stats.set('openConnections', 3)
  stats.set('openConnections', 2)
  equal(stats.counter('connections'), 5)
  equal(stats.gauge('openConnections'), 2)
})

test('requests are counted by lane and status class', () => {
  const stats = new Stats()
  stats.countRequests('fast', 200, 0.001, 3)
  stats.countRequests('fast', 304, 0.001, 1)
  stats.countRequests('main', 299, 0.001, 1)
  stats.countRequests('main', 400, 0.001, 1)
  stats.countRequests('main', 499, 0.001, 1)
  deepEqual(classesOf(stats, 'fast'), [0, 3, 1, 0, 0])
  deepEqual(classesOf(stats, 'main'), [0, 1, 0, 2, 0])
})

test('a status beyond the classes counts for the nearest', () => {
  const stats = new Stats()
  for (const status of [0, 99, 100, 199, 599, 600, 999]) stats.countRequests('main', status, 0.001, 1)
  deepEqual(classesOf(stats, 'main'), [4, 0, 0, 0, 3])
  deepEqual(classesOf(stats, 'fast'), [0, 0, 0, 0, 0])
})

test('the bounds grow, and there is a bucket for each and one for what is longer', () => {
  for (const [index, bound] of LATENCY_BOUNDS.entries()) ok(bound > (LATENCY_BOUNDS[index - 1] ?? 0))
  equal(new Stats().latency('fast').counts.length, LATENCY_BOUNDS.length + 1)
})

test('a bound belongs to the bucket below it, as in Prometheus', () => {
  for (const [index, bound] of LATENCY_BOUNDS.entries()) {
    const stats = new Stats()
    stats.countPoolWait(bound)
    equal(stats.poolWait().counts[index], 1, `${bound}`)
    stats.countPoolWait(bound * 1.000_001)
    equal(stats.poolWait().counts[index + 1], 1, `beyond ${bound}`)
  }
})

test('no time at all is in the first bucket, and an hour in the last', () => {
  const stats = new Stats()
  stats.countPoolWait(0)
  stats.countPoolWait(3600)
  const { counts, sum } = stats.poolWait()
  deepEqual([counts[0], counts.at(-1), sum], [1, 1, 3600])
})

test('requests that took the same time are counted, and their times added, together', () => {
  const stats = new Stats()
  stats.countRequests('fast', 200, 0.5, 16)
  const { counts, sum } = stats.latency('fast')
  equal(counts[LATENCY_BOUNDS.indexOf(0.5)], 16)
  equal(sum, 8)
  deepEqual(stats.latency('main'), { bounds: LATENCY_BOUNDS, counts: emptyCounts(), sum: 0 })
})

test('two views on one memory show the same', () => {
  const written = new Stats()
  const read = new Stats(written.buffer)
  written.count('upgrades')
  written.set('heapUsed', 2 ** 40)
  written.countRequests('main', 500, 0.25, 1)
  equal(read.counter('upgrades'), 1)
  equal(read.gauge('heapUsed'), 2 ** 40)
  deepEqual(classesOf(read, 'main'), [0, 0, 0, 0, 1])
  deepEqual(read.latency('main'), written.latency('main'))
})

test('what was read stays as it was when the counting goes on', () => {
  const stats = new Stats()
  const before = stats.poolWait()
  stats.countPoolWait(1)
  deepEqual(before, { bounds: LATENCY_BOUNDS, counts: emptyCounts(), sum: 0 })
})

test('the counts of another worker are added, its gauges are not', () => {
  const total = new Stats()
  const gone = new Stats()
  total.count('connections')
  total.set('openConnections', 1)
  for (const counter of COUNTERS) gone.count(counter, 2)
  for (const gauge of GAUGES) gone.set(gauge, 7)
  gone.countRequests('fast', 200, 0.5, 2)
  gone.countRequests('main', 404, 20, 1)
  gone.countPoolWait(0.25)
  total.addCounts(gone)
  total.addCounts(gone)
  for (const counter of COUNTERS) equal(total.counter(counter), counter === 'connections' ? 5 : 4, counter)
  for (const gauge of GAUGES) equal(total.gauge(gauge), gauge === 'openConnections' ? 1 : 0, gauge)
  deepEqual([total.requests('fast', 2), total.requests('main', 4)], [4, 2])
  equal(total.latency('fast').sum, 2)
  equal(total.latency('main').counts.at(-1), 2)
  equal(total.poolWait().sum, 0.5)
  equal(gone.counter('connections'), 2)
})

test('while a worker counts, its primary reads counts that only grow, and all of them in the end', async () => {
  const stats = new Stats()
  const source = `
    import { workerData } from 'node:worker_threads'
    import { Stats } from ${JSON.stringify(new URL('./stats.ts', import.meta.url).href)}
    const stats = new Stats(workerData)
    for (let count = 0; count < 200_000; count++) stats.countRequests('fast', 200, 0.25, 1)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: stats.buffer
  })
  let hasEnded = false
  const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject)).finally(
    () => {
      hasEnded = true
    }
  )
  let last = 0
  while (!hasEnded) {
    const requests = stats.requests('fast', 2)
    ok(Number.isInteger(requests) && requests >= last, `${requests} after ${last}`)
    last = requests
    await new Promise((resolve) => setImmediate(resolve))
  }
  equal(await ended, 0)
  equal(stats.requests('fast', 2), 200_000)
  deepEqual(stats.latency('fast').sum, 50_000)
})

function emptyCounts(): number[] {
  return Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0)
}

function classesOf(stats: Stats, lane: 'fast' | 'main'): number[] {
  return STATUS_CLASSES.map((statusClass) => stats.requests(lane, statusClass))
}

test('what the hub has counted is replaced, and added up with that of other workers', () => {
  const all = new Stats()
  for (let worker = 0; worker < 2; worker++) {
    const stats = new Stats()
    const batches = new Histogram(BATCH_BOUNDS)
    const lags = new Histogram(LAG_BOUNDS)
    batches.observe(500, 1)
    batches.observe(501, 1)
    stats.setHub(batches, lags)
    lags.observe(0.25, 3)
    stats.setHub(batches, lags)
    all.addCounts(stats)
  }
  const { counts, sum } = all.hubBatches()
  deepEqual([counts[BATCH_BOUNDS.indexOf(500)], counts[BATCH_BOUNDS.indexOf(1000)], sum], [2, 2, 2002])
  deepEqual([all.hubLags().counts[LAG_BOUNDS.indexOf(0.25)], all.hubLags().sum], [6, 1.5])
})
