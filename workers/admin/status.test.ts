import { deepEqual, equal } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { ChannelTraffic } from '../../core/broadcast/channel-traffic.ts'
import { fakeBroker, fakeView, multithread } from '../testing/fake-view.ts'
import { get, start } from './testing/started-admin.ts'

const manual = readFileSync(new URL('../../docs/METRICS.md', import.meta.url), 'utf8')

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

/** What stays when the values are taken away: fields, in their order, and types. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.entries(value).map(([name, field]) => [name, shapeOf(field)])
}
