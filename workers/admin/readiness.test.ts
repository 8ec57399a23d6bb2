import { deepEqual, equal } from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerView } from '../server-view.ts'
import { fakeView, workersIn } from '../testing/fake-view.ts'
import { get, start } from './testing/started-admin.ts'

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

async function probe(path: string, given: Partial<ServerView>): Promise<readonly [number, string]> {
  const response = await get(await start(fakeView(given)), path)
  return [response.status, await response.text()]
}
