import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { pino } from 'pino'
import type { ChannelTraffic } from '../../core/broadcast/channel-traffic.ts'
import { Histogram } from '../../core/broadcast/histogram.ts'
import { BATCH_BOUNDS, LAG_BOUNDS } from '../../core/broadcast/totals.ts'
import { LATENCY_BOUNDS, Stats } from '../metrics/stats.ts'
import { serve } from '../serve.ts'
import type { ServerView, WorkerView } from '../server-view.ts'
import { parseExposition, valueOf } from '../testing/exposition.ts'
import type { ScrapedFamily } from '../testing/exposition.ts'
import { fakeBroker, fakeView, fakeWorker } from '../testing/fake-view.ts'
import { freePort, isFree, listenAlone } from '../testing/ports.ts'
import { RawClient } from '../testing/raw-client.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { startAdmin } from './admin.ts'
import type { AdminServer } from './admin.ts'

const log = pino({ level: 'silent' })
const HERE = { host: '127.0.0.1', port: 0 }
const manual = readFileSync(new URL('../../docs/METRICS.md', import.meta.url), 'utf8')
const isLinux = process.platform === 'linux'

const started: AdminServer[] = []
after(() => Promise.all(started.map((admin) => admin.close())))

describe('the probes', () => {
  test('/livez says ok in every state of the server', async () => {
    for (const state of ['starting', 'ready', 'reloading', 'draining'] as const)
      deepEqual(await probe('/livez', { state, threads: [] }), [200, 'ok'])
  })

  test('/readyz says ready when the server is and a worker is', async () => {
    deepEqual(await probe('/readyz', {}), [200, 'ready'])
    deepEqual(await probe('/readyz', { threads: workersIn('stuck', 'ready', 'starting') }), [200, 'ready'])
  })

  test('/readyz says ready through a reload', async () => {
    deepEqual(await probe('/readyz', { state: 'reloading', threads: workersIn('ready', 'draining') }), [
      200,
      'ready'
    ])
  })

  test('/readyz gives the reason while the server starts or drains, whatever its workers do', async () => {
    for (const state of ['starting', 'draining'] as const)
      deepEqual(await probe('/readyz', { state }), [503, state])
  })

  test('/readyz gives the reason when no worker is ready', async () => {
    for (const state of ['ready', 'reloading'] as const) {
      deepEqual(await probe('/readyz', { state, threads: [] }), [503, 'no worker is ready'])
      const threads = workersIn('starting', 'stuck', 'draining')
      deepEqual(await probe('/readyz', { state, threads }), [503, 'no worker is ready'])
    }
  })

  test('follow the server from one state to the next', async () => {
    const view = { ...fakeView({ state: 'starting', threads: [] }) }
    const admin = await start(view)
    equal((await get(admin, '/readyz')).status, 503)
    Object.assign(view, { state: 'ready', threads: workersIn('ready') })
    equal((await get(admin, '/readyz')).status, 200)
    Object.assign(view, { state: 'draining' })
    equal((await get(admin, '/readyz')).status, 503)
  })

  test('are plain text that nobody keeps', async () => {
    const admin = await start(fakeView({ state: 'draining' }))
    for (const path of ['/livez', '/readyz']) {
      const { headers } = await get(admin, path)
      equal(headers.get('content-type'), 'text/plain; charset=utf-8')
      equal(headers.get('cache-control'), 'no-store')
    }
  })
})

describe('the paths', () => {
  test('are listed by / and in the manual', async () => {
    const admin = await start(fakeView())
    const response = await get(admin, '/')
    equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
    const listed = [...(await response.text()).matchAll(/^(\/\S+)/gm)].map(([, path]) => path)
    deepEqual(listed, ['/livez', '/readyz', '/metrics', '/status'])
    for (const path of listed) {
      equal((await get(admin, path!)).status, 200)
      ok(manual.includes(`| \`${path}\` |`), path)
    }
  })

  test('are the only ones, and take no other method', async () => {
    const admin = await start(fakeView())
    equal((await get(admin, '/other')).status, 404)
    equal((await fetch(urlOf(admin, '/livez'), { method: 'HEAD' })).status, 200)
    equal((await fetch(urlOf(admin, '/status'), { method: 'POST' })).status, 404)
    equal((await fetch(urlOf(admin, '/livez'), { method: 'DELETE' })).status, 404)
  })
})

describe('the Host of a request', () => {
  test('can be an address, localhost or the configured name', async () => {
    const admin = await start(fakeView(), { host: 'localhost', port: 0 })
    for (const host of [`127.0.0.1:${admin.port}`, '[::1]:9000', `localhost:${admin.port}`])
      equal((await getAs(admin, host, '/livez')).status, 200, host)
  })

  test('that is another name is refused on every path, also on those that do not exist', async () => {
    const admin = await start(fakeView())
    for (const path of ['/', '/livez', '/readyz', '/metrics', '/status', '/other']) {
      const { status, body } = await getAs(admin, 'evil.example', path)
      equal(status, 403, path)
      const { code, message } = JSON.parse(body) as { code: string; message: string }
      equal(code, 'SCZ_ERR_ADMIN_HOST')
      match(message, /"evil\.example"/)
    }
  })

  test('may be missing in HTTP/1.0', async () => {
    const admin = await start(fakeView())
    const client = await RawClient.open(admin.port)
    client.send('GET /livez HTTP/1.0\r\n\r\n')
    match(await client.closed, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/)
  })
})

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

const traffic: ChannelTraffic = {
  channel: 'ticks',
  subscribers: 2,
  published: 3,
  delivered: 6,
  skipped: 0,
  bytes: 600,
  bytesBefore: 0,
  bytesAfter: 0
}

describe('/status', () => {
  test('has the shape that the manual shows', async () => {
    const [, example] = /```json\n([^]*?)```/.exec(manual) ?? []
    const admin = await start(fakeView({ ...multithread(), traffic: [traffic], broker: fakeBroker() }))
    const response = await get(admin, '/status')
    equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
    const status: unknown = await response.json()
    deepEqual(shapeOf(status), shapeOf(JSON.parse(example!)))
  })

  test('shows the server, its sums and each of its threads', async () => {
    const given = multithread()
    const admin = await start(fakeView({ ...given, state: 'reloading', reloads: 3, cores: 4 }))
    const status = (await (await get(admin, '/status')).json()) as Record<string, unknown>
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    deepEqual(
      [status['version'], status['pid'], status['state'], status['reloads'], status['cores']],
      [version, process.pid, 'reloading', 3, 4]
    )
    const totals = status['totals'] as Record<string, unknown>
    deepEqual(totals['requests'], {
      fast: { '1xx': 0, '2xx': 100, '3xx': 0, '4xx': 0, '5xx': 0 },
      main: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 7 }
    })
    equal(totals['restarts'], 2)
    const [first, second, ...others] = status['workers'] as readonly Record<string, unknown>[]
    deepEqual(others, [])
    deepEqual(
      [first!['number'], first!['threadId'], first!['restarts'], first!['lastFailure']],
      [1, 9, 2, 'Worker 1 ended with code 7']
    )
    equal(first!['startedAt'], '2026-01-31T08:00:00.000Z')
    deepEqual((first!['requests'] as Record<string, unknown>)['fast'], {
      '1xx': 0,
      '2xx': 60,
      '3xx': 0,
      '4xx': 0,
      '5xx': 0
    })
    deepEqual(second!['pool'], {
      threads: 1,
      running: 0,
      queued: 0,
      utilisation: 0.2,
      heapUsed: 1000,
      requests: 0,
      rejected: 0,
      threadsDied: 0
    })
  })

  test('has no pool in the runtime without one, and no failure of a worker that never died', async () => {
    const admin = await start(fakeView())
    const status = (await (await get(admin, '/status')).json()) as {
      totals: { pool: unknown }
      workers: readonly { pool: unknown; lastFailure: unknown }[]
    }
    equal(status.totals.pool, null)
    for (const { pool, lastFailure } of status.workers) deepEqual([pool, lastFailure], [null, null])
  })
})

describe('the address', () => {
  test('that another server has is refused', async () => {
    const other = await listenAlone(0)
    const { port } = other.address() as AddressInfo
    await rejects(startAdmin({ host: '127.0.0.1', port }, fakeView(), log), {
      code: 'SCZ_ERR_ADMIN_LISTEN',
      message: `Cannot listen on 127.0.0.1:${port} for the admin server (--admin): the port is in use; stop the other server or choose another port`
    })
    other.close()
  })

  test('that is not of this machine is refused', async () => {
    await rejects(startAdmin({ host: '192.0.2.1', port: 0 }, fakeView(), log), {
      code: 'SCZ_ERR_ADMIN_LISTEN',
      message:
        'Cannot listen on 192.0.2.1:0 for the admin server (--admin): this machine does not have that address'
    })
  })

  test('is free when the admin server has closed, though connections were idle, silent or half way', async () => {
    const admin = await startAdmin(HERE, fakeView(), log)
    const idle = await RawClient.open(admin.port)
    idle.send('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await idle.receive(/ok$/)
    const silent = await RawClient.open(admin.port)
    const halfWay = await RawClient.open(admin.port)
    halfWay.send('GET /livez HTTP/1.1\r\nHost:')
    await admin.close()
    await Promise.all([idle.closed, silent.closed, halfWay.closed])
    ok(await isFree(admin.port))
    // A second time changes nothing.
    await admin.close()
  })

  test('is answered for until every answer is whole, when the admin server closes meanwhile', async () => {
    const admin = await startAdmin(HERE, fakeView(), log)
    const client = await RawClient.open(admin.port)
    client.send('GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(20))
    await client.receive(/^HTTP/)
    await admin.close()
    const answers = (await client.closed).split('HTTP/1.1 200 OK\r\n').slice(1)
    equal(answers.length, 20)
    for (const answer of answers) parseExposition(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  })
})

describe('what can not be answered', () => {
  test('is a 500 that the log has the reason of, and no more', async () => {
    const lines: string[] = []
    const view = Object.defineProperty({ ...fakeView() }, 'threads', {
      get: () => {
        throw new Error('out of luck')
      }
    })
    const admin = await startAdmin(HERE, view, pino({}, { write: (line: string) => void lines.push(line) }))
    started.push(admin)
    equal((await get(admin, '/metrics')).status, 500)
    equal((await get(admin, '/other')).status, 404)
    equal((await getAs(admin, 'evil.example', '/')).status, 403)
    deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ['The admin server could not answer /metrics: out of luck']
    )
    equal((await get(admin, '/livez')).status, 200)
  })
})

describe('a server that starts and drains', () => {
  test('is asked by its own app: alive, not ready, and watched all the while', async () => {
    const port = await freePort()
    const folder = temporaryFolder({
      'app.ts': `
        import { appendFileSync } from 'node:fs'
        async function ask() {
          for (const path of ['/livez', '/readyz', '/metrics', '/status']) {
            const response = await fetch('http://127.0.0.1:${port}' + path)
            const text = await response.text()
            const told = path === '/status' ? JSON.parse(text).state : path === '/metrics' ? 'text' : text
            appendFileSync(new URL('./answers.txt', import.meta.url), [path, response.status, told].join(' ') + '\\n')
          }
        }
        export default async function app(fastify) {
          await ask()
          fastify.addHook('onClose', ask)
        }`
    })
    const admin = `127.0.0.1:${port}`
    const server = await serve(`${folder}/app.ts`, { port: 0, workers: 1, admin, logLevel: 'silent' })
    equal(server.adminAddress, `http://${admin}`)
    await server.close()
    deepEqual(readFileSync(`${folder}/answers.txt`, 'utf8').split('\n'), [
      '/livez 200 ok',
      '/readyz 503 starting',
      '/metrics 200 text',
      '/status 200 starting',
      '/livez 200 ok',
      '/readyz 503 draining',
      '/metrics 200 text',
      '/status 200 draining',
      ''
    ])
    ok(await isFree(port))
  })

  test('does not start when the address of its admin server is taken', async () => {
    const other = await listenAlone(0)
    const { port } = other.address() as AddressInfo
    const folder = temporaryFolder({ 'app.ts': 'export default async function app() {}' })
    const own = await freePort()
    await rejects(
      serve(`${folder}/app.ts`, { port: own, workers: 1, admin: `127.0.0.1:${port}`, logLevel: 'silent' }),
      { code: 'SCZ_ERR_ADMIN_LISTEN' }
    )
    ok(await isFree(own))
    other.close()
  })
})

describe('the counters of a server', () => {
  const app = temporaryFolder({
    'app.ts': `
      export default async function app(fastify) {
        fastify.fast.json('/fast', () => ({ ok: true }))
        fastify.fast.text('/fast-text', 'Hello, World!')
        fastify.get('/main', async () => 'main')
        fastify.get('/broken', async () => { throw new Error('broken') })
      }`
  })

  test('are those of the requests that were made, and do not go back when the server reloads', async () => {
    const server = await serve(`${app}/app.ts`, {
      port: 0,
      workers: 2,
      admin: '127.0.0.1:0',
      logLevel: 'silent'
    })
    try {
      const ask = async (path: string, status: number, times: number): Promise<void> => {
        for (let time = 0; time < times; time++) {
          const response = await fetch(server.address + path)
          equal(response.status, status)
          await response.text()
        }
      }
      const requestsOf = async (): Promise<Record<string, number>> => {
        const families = parseExposition(await (await fetch(`${server.adminAddress}/metrics`)).text())
        const { samples } = families.get('scherzo_requests_total')!
        ok(valueOf(families, 'scherzo_connections_total') > 0)
        return Object.fromEntries(
          samples
            .filter(({ value }) => value > 0)
            .map(({ labels, value }) => [`${labels.get('lane')} ${labels.get('status_class')}`, value])
        )
      }
      const settled = async (expected: Record<string, number>): Promise<void> => {
        const sum = Object.values(expected).reduce((total, each) => total + each, 0)
        for (;;) {
          const found = await requestsOf()
          // The last answer may be here before its worker has counted it.
          if (Object.values(found).reduce((total, each) => total + each, 0) < sum) continue
          deepEqual(found, expected)
          return
        }
      }
      equal(await (await fetch(`${server.adminAddress}/readyz`)).text(), 'ready')
      await ask('/fast', 200, 30)
      await ask('/fast-text', 200, 20)
      await ask('/main', 200, 30)
      await ask('/missing', 404, 15)
      await ask('/broken', 500, 5)
      await settled({ 'fast 2xx': 50, 'main 2xx': 30, 'main 4xx': 15, 'main 5xx': 5 })
      await server.reload()
      await settled({ 'fast 2xx': 50, 'main 2xx': 30, 'main 4xx': 15, 'main 5xx': 5 })
      await ask('/fast', 200, 1)
      await settled({ 'fast 2xx': 51, 'main 2xx': 30, 'main 4xx': 15, 'main 5xx': 5 })
      const families = parseExposition(await (await fetch(`${server.adminAddress}/metrics`)).text())
      const latencies = ['fast', 'main'].map((lane) =>
        valueOf(families, 'scherzo_request_duration_seconds_count', { lane })
      )
      deepEqual(latencies, [51, 50])
      const status = (await (await fetch(`${server.adminAddress}/status`)).json()) as { reloads: number }
      equal(status.reloads, 1)
    } finally {
      await server.close()
    }
    const { port } = new URL(server.adminAddress!)
    ok(await isFree(Number(port)))
  })
})

async function start(view: ServerView, address = HERE): Promise<AdminServer> {
  const admin = await startAdmin(address, view, log)
  notEqual(admin.port, 0)
  started.push(admin)
  return admin
}

function urlOf({ host, port }: AdminServer, path: string): string {
  return `http://${host}:${port}${path}`
}

function get(admin: AdminServer, path: string): Promise<Response> {
  return fetch(urlOf(admin, path))
}

/** With a Host of its own, which fetch() does not take. */
function getAs(admin: AdminServer, host: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { host: hostname, port } = admin
    const sent = request({ host: hostname, port, path, headers: { host } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    sent.on('error', reject).end()
  })
}

async function probe(path: string, given: Partial<ServerView>): Promise<readonly [number, string]> {
  const response = await get(await start(fakeView(given)), path)
  return [response.status, await response.text()]
}

async function scrape(given: Partial<ServerView>): Promise<ReadonlyMap<string, ScrapedFamily>> {
  return scrapeOf(await start(fakeView(given)))
}

async function scrapeOf(admin: AdminServer): Promise<ReadonlyMap<string, ScrapedFamily>> {
  return parseExposition(await (await get(admin, '/metrics')).text())
}

function workersIn(...states: readonly WorkerView['state'][]): readonly WorkerView[] {
  return states.map((state, index) => fakeWorker(index + 1, { state }))
}

/** Two workers with pools, the first of which had died twice. */
function multithread(): Partial<ServerView> {
  const first = fakeWorker(1, {
    threadId: 9,
    startedAt: Date.UTC(2026, 0, 31, 8),
    restarts: 2,
    lastFailure: 'Worker 1 ended with code 7'
  })
  const second = fakeWorker(2)
  const retired = new Stats()
  first.stats.countRequests('fast', 200, 0.001, 60)
  retired.countRequests('fast', 200, 0.001, 40)
  second.stats.countRequests('main', 500, 0.001, 7)
  first.stats.set('poolThreads', 3)
  first.stats.set('poolRunning', 3)
  first.stats.set('poolQueued', 5)
  first.stats.set('poolUtilisation', 1)
  first.stats.set('poolHeapUsed', 2000)
  second.stats.set('poolThreads', 1)
  second.stats.set('poolUtilisation', 0.2)
  second.stats.set('poolHeapUsed', 1000)
  first.stats.count('poolRequests', 5)
  retired.count('poolRequests', 7)
  first.stats.count('poolRejected', 3)
  retired.count('poolThreadsDied')
  first.stats.countPoolWait(0.25)
  retired.countPoolWait(0.5)
  return { runtime: 'multithread', threads: [first, second], retired }
}

/** What stays when the values are taken away: fields, in their order, and types. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.entries(value).map(([name, field]) => [name, shapeOf(field)])
}
