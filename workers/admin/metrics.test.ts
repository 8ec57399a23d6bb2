import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Histogram } from '../../core/broadcast/histogram.ts'
import { BATCH_BOUNDS, LAG_BOUNDS } from '../../core/broadcast/totals.ts'
import { LATENCY_BOUNDS, Stats } from '../metrics/stats.ts'
import type { ServerView } from '../server-view.ts'
import { parseExposition, valueOf } from '../testing/exposition.ts'
import type { ScrapedFamily } from '../testing/exposition.ts'
import { fakeBroker, fakeView, fakeWorker, multithread, workersIn } from '../testing/fake-view.ts'
import type { AdminServer } from './admin.ts'
import { get, start } from './testing/started-admin.ts'

const manual = readFileSync(new URL('../../docs/METRICS.md', import.meta.url), 'utf8')
const isLinux = process.platform === 'linux'

describe('/metrics', () => {
  test('keeps to the text format and says so', async () => {
    const admin = await start(fakeView())
    const response = await get(admin, '/metrics')
    equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    parseExposition(await response.text())
  })

  test('adds up the workers that are there and those that are gone', async () => {
    const threads = [fakeWorker(1), fakeWorker(2), fakeWorker(2, { state: 'draining' })]
    const retired = new Stats()
    for (const [index, stats] of [...threads.map((thread) => thread.stats), retired].entries()) {
      const factor = 10 ** index
      stats.countRequests('fast', 200, 0.0001, factor)
      stats.countRequests('main', 404, 0.3, factor)
      stats.countRequests('main', 503, 60, factor)
      stats.count('connections', 2 * factor)
      stats.count('connectionsRefused', 3 * factor)
      stats.count('connectionsTimedOut', 4 * factor)
      stats.count('upgrades', 5 * factor)
      stats.count('hubDelivered', 2 * factor)
      stats.count('hubSkipped', 3 * factor)
      stats.count('hubSlowClosed', 4 * factor)
      stats.set('hubMembers', 5 * factor)
      stats.set('hubSubscriptions', 6 * factor)
      stats.set('hubHeldBytes', 7 * factor)
      stats.count('hubBytes', 8 * factor)
      stats.count('hubBytesBefore', 9 * factor)
      stats.count('hubBytesAfter', factor)
      stats.set('hubHeldAge', 2 * factor)
      stats.set('hubQueueAge', 3 * factor)
      const [batches, lags] = [new Histogram(BATCH_BOUNDS), new Histogram(LAG_BOUNDS)]
      batches.observe(200, factor)
      lags.observe(0.005, factor)
      stats.setHub(batches, lags)
      stats.set('openConnections', 6 * factor)
      stats.set('openRequests', 7 * factor)
    }
    const families = await scrape({
      threads,
      retired,
      reloads: 8,
      published: 9,
      present: 10,
      presenceTold: 11
    })
    const value = (name: string, labels = {}): number => valueOf(families, `scherzo_${name}`, labels)
    equal(value('requests_total', { lane: 'fast', status_class: '2xx' }), 1111)
    equal(value('requests_total', { lane: 'fast', status_class: '4xx' }), 0)
    equal(value('requests_total', { lane: 'main', status_class: '4xx' }), 1111)
    equal(value('requests_total', { lane: 'main', status_class: '5xx' }), 1111)
    equal(value('request_duration_seconds_bucket', { lane: 'fast', le: '0.00005' }), 0)
    equal(value('request_duration_seconds_bucket', { lane: 'fast', le: '0.0001' }), 1111)
    equal(value('request_duration_seconds_bucket', { lane: 'main', le: '0.25' }), 0)
    equal(value('request_duration_seconds_bucket', { lane: 'main', le: '0.5' }), 1111)
    equal(value('request_duration_seconds_bucket', { lane: 'main', le: '10' }), 1111)
    equal(value('request_duration_seconds_bucket', { lane: 'main', le: '+Inf' }), 2222)
    equal(value('request_duration_seconds_count', { lane: 'main' }), 2222)
    ok(Math.abs(value('request_duration_seconds_sum', { lane: 'main' }) - 1111 * 60.3) < 1e-6)
    equal(value('connections_total'), 2222)
    equal(value('connections_refused_total'), 3333)
    equal(value('connections_timed_out_total'), 4444)
    equal(value('upgrades_total'), 5555)
    // What those that are gone had open is closed.
    equal(value('open_connections'), 666)
    equal(value('open_requests'), 777)
    equal(value('reloads_total'), 8)
    equal(value('hub_published_total'), 9)
    equal(value('hub_delivered_total'), 2222)
    equal(value('hub_skipped_total'), 3333)
    equal(value('hub_slow_closed_total'), 4444)
    equal(value('hub_members'), 555)
    equal(value('hub_subscriptions'), 666)
    equal(value('hub_held_bytes'), 777)
    equal(value('hub_presence_members'), 10)
    equal(value('hub_presence_changes_total'), 11)
    // The oldest of those that are there.
    equal(value('hub_held_age_seconds'), 200)
    equal(value('hub_queue_age_seconds'), 300)
    equal(value('hub_bytes_total'), 8888)
    equal(value('hub_compression_bytes_total', { side: 'before' }), 9999)
    equal(value('hub_compression_bytes_total', { side: 'after' }), 1111)
    equal(value('hub_batch_messages_bucket', { le: '100' }), 0)
    equal(value('hub_batch_messages_bucket', { le: '200' }), 1111)
    equal(value('hub_batch_messages_sum'), 222_200)
    equal(value('hub_lag_seconds_bucket', { le: '0.0025' }), 0)
    equal(value('hub_lag_seconds_bucket', { le: '0.005' }), 1111)
    equal(value('hub_lag_seconds_count'), 1111)
  })

  test('has the bounds of the latency histogram', async () => {
    const { samples } = (await scrape({})).get('scherzo_request_duration_seconds')!
    const bounds = samples.flatMap(({ labels }) => (labels.get('lane') === 'fast' ? [labels.get('le')] : []))
    deepEqual(
      bounds.filter((bound) => bound !== undefined),
      [...LATENCY_BOUNDS.map(String), '+Inf']
    )
  })

  test('shows each worker once, that which serves, while another of its number starts or drains', async () => {
    for (const other of ['starting', 'draining'] as const) {
      const serving = fakeWorker(1, { utilisation: 0.5, restarts: 3, startedAt: 1000 })
      const threads = [serving, fakeWorker(1, { state: other, utilisation: 0.9, restarts: 3 })]
      serving.stats.set('loopDelayMean', 0.001)
      serving.stats.set('loopDelayP99', 0.002)
      serving.stats.set('loopDelayMax', 0.003)
      serving.stats.set('heapUsed', 4096)
      for (const all of [threads, threads.toReversed()]) {
        const families = await scrape({ threads: all })
        const value = (name: string): number => valueOf(families, `scherzo_${name}`, { worker: '1' })
        equal(value('event_loop_utilization'), 0.5)
        equal(value('event_loop_delay_mean_seconds'), 0.001)
        equal(value('event_loop_delay_p99_seconds'), 0.002)
        equal(value('event_loop_delay_max_seconds'), 0.003)
        equal(value('heap_used_bytes'), 4096)
        equal(value('worker_restarts_total'), 3)
      }
    }
  })

  test('shows the newest of workers that drain', async () => {
    const threads = [
      fakeWorker(1, { state: 'draining', startedAt: 1000, utilisation: 0.1 }),
      fakeWorker(1, { state: 'draining', startedAt: 2000, utilisation: 0.2 })
    ]
    equal(valueOf(await scrape({ threads }), 'scherzo_event_loop_utilization', { worker: '1' }), 0.2)
  })

  test('counts the workers in each state, those in none of them, too', async () => {
    const families = await scrape({ threads: workersIn('ready', 'ready', 'stuck', 'starting') })
    const counts = ['starting', 'ready', 'stuck', 'draining'].map((state) =>
      valueOf(families, 'scherzo_workers', { state })
    )
    deepEqual(counts, [1, 2, 1, 0])
  })

  test('remembers the restarts of a worker that is just not there', async () => {
    const view = { ...fakeView({ threads: [fakeWorker(1, { restarts: 2 }), fakeWorker(2)] }) }
    const admin = await start(view)
    await scrapeOf(admin)
    Object.assign(view, { threads: [fakeWorker(2)] })
    equal(valueOf(await scrapeOf(admin), 'scherzo_worker_restarts_total', { worker: '1' }), 2)
    const { totals } = (await (await get(admin, '/status')).json()) as { totals: { restarts: number } }
    equal(totals.restarts, 2)
  })

  test('adds up the pools', async () => {
    const families = await scrape(multithread())
    const value = (name: string, labels = {}): number => valueOf(families, `scherzo_pool_${name}`, labels)
    equal(value('threads'), 4)
    equal(value('running'), 3)
    equal(value('queued'), 5)
    // One of 3 threads at 1 and one of 1 thread at 0.2.
    equal(value('utilization'), 0.8)
    equal(value('heap_used_bytes'), 3000)
    equal(value('requests_total'), 12)
    equal(value('rejected_total'), 3)
    equal(value('threads_died_total'), 1)
    equal(value('wait_seconds_count'), 2)
    equal(value('wait_seconds_sum'), 0.75)
    equal(value('wait_seconds_bucket', { le: '0.25' }), 1)
  })

  test('has every pool figure at 0 without a pool', async () => {
    const families = [...(await scrape({}))].filter(([name]) => name.startsWith('scherzo_pool_'))
    equal(families.length, 9)
    for (const [name, { samples }] of families) for (const { value } of samples) equal(value, 0, name)
  })

  test('has the figures of the process', async () => {
    const families = await scrape({})
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes'])
      ok(valueOf(families, name) > 0, name)
    equal(families.has('process_open_fds'), isLinux)
  })

  test('has the names, types, labels and meanings that the manual has, in its order', async () => {
    const families = [...(await scrape({ broker: fakeBroker() }))].map(([name, { type, help, samples }]) => {
      const labels = new Set(samples.flatMap((sample) => [...sample.labels.keys()]))
      labels.delete('le')
      return { name, type, labels: [...labels], help }
    })
    const rows = [
      ...manual.matchAll(/^\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \|([^|]*)\| ([^|]+) \|$/gm)
    ].map(([, name, type, labels, help]) => ({
      name: name!,
      type: type!,
      labels: [...labels!.matchAll(/`([a-z_]+)`/g)].map(([, label]) => label!),
      help: help!
    }))
    const expected = rows.filter(({ help }) => isLinux || !help.endsWith('Linux only.'))
    deepEqual(families, expected)
  })
})

async function scrape(given: Partial<ServerView>): Promise<ReadonlyMap<string, ScrapedFamily>> {
  return scrapeOf(await start(fakeView(given)))
}

async function scrapeOf(admin: AdminServer): Promise<ReadonlyMap<string, ScrapedFamily>> {
  return parseExposition(await (await get(admin, '/metrics')).text())
}
