import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { App } from '../app.ts'
import { loadHere } from '../testing/loaded-app.ts'
import { RawClient } from '../testing/raw-client.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import type { GivenSettings } from '../../core/settings.ts'

const FILE = fileURLToPath(new URL('../testing/pool-app.ts', import.meta.url))

interface Running {
  readonly app: App
  readonly port: number
  readonly origin: string
}

const opened: App[] = []
afterEach(async () => {
  for (const app of opened.splice(0)) await app.fastify.close()
})

async function open(given: GivenSettings): Promise<Running> {
  const app = await loadHere(FILE, { runtime: 'multithread', ...given })
  opened.push(app)
  await app.fastify.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.fastify.server.address() as AddressInfo
  return { app, port, origin: `http://127.0.0.1:${port}` }
}

/** Waits until something that has no event of its own is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5)
}

function threadOf(body: unknown): number {
  return (body as { threadId: number }).threadId
}

describe('a thread whose loop does not turn', () => {
  test('is ended where that is asked for, with its requests, and replaced', async () => {
    const { origin, app } = await open({ poolThreads: 1, stuckAfter: 1, replaceStuck: true })
    const watch = setInterval(() => app.pool!.measure(), 100)
    const before = threadOf(await (await fetch(`${origin}/light`)).json())
    const spinning = await fetch(`${origin}/spin`)
    assert.equal(spinning.status, 500)
    assert.equal(((await spinning.json()) as { code: string }).code, 'SCZ_ERR_POOL_THREAD')
    const after = threadOf(await (await fetch(`${origin}/light`)).json())
    clearInterval(watch)
    assert.notEqual(after, before)
  })
})

describe('a full pool', () => {
  test('answers 503 with Retry-After at once, and goes on', async () => {
    const { origin, app } = await open({ poolThreads: 1, poolQueue: 1 })
    const gate = join(temporaryFolder(), 'gate')
    const burning = [fetch(`${origin}/burn?until=${gate}`)]
    const { stats } = app.state
    await until(() => {
      app.pool!.measure()
      return stats.gauge('poolRunning') === 1
    })
    // What has been sent to the thread before it was known to be blocked stays there; the next ones wait.
    await pause(100)
    const waiting = fetch(`${origin}/light`)
    await until(() => {
      app.pool!.measure()
      return stats.gauge('poolQueued') === 1
    })
    const refused = await fetch(`${origin}/light`)
    assert.equal(refused.status, 503)
    assert.equal(refused.headers.get('retry-after'), '1')
    assert.deepEqual(await refused.json(), {
      statusCode: 503,
      code: 'SCZ_ERR_POOL_FULL',
      error: 'Service Unavailable',
      message: 'The server is busy: try again later'
    })
    assert.equal(stats.counter('poolRejected'), 1)
    writeFileSync(gate, '')
    for (const answer of [...burning, waiting]) assert.equal((await answer).status, 200)
    assert.equal((await fetch(`${origin}/light`)).status, 200)
  })
})

describe('light requests', () => {
  test('are answered while handlers block every other thread', async () => {
    const { origin } = await open({ poolThreads: 3 })
    const gate = join(temporaryFolder(), 'gate')
    const burning = Array.from({ length: 6 }, () => fetch(`${origin}/burn?until=${gate}`))
    let isBurnt = false
    void Promise.all(burning).then(() => (isBurnt = true))
    for (let count = 0; count < 20; count++) assert.equal((await fetch(`${origin}/light`)).status, 200)
    assert.equal(isBurnt, false)
    writeFileSync(gate, '')
    for (const answer of burning) assert.equal((await answer).status, 200)
  })

  test('are not sent to the threads of routes that are known to be heavy', async () => {
    const { origin } = await open({ poolThreads: 2 })
    const gates = [0, 1].map(() => join(temporaryFolder(), 'gate'))
    await fetch(`${origin}/light`)
    const first = fetch(`${origin}/burn?until=${gates[0]}`)
    await pause(30)
    writeFileSync(gates[0]!, '')
    await first
    const burning = Array.from({ length: 5 }, () => fetch(`${origin}/burn?until=${gates[1]}`))
    const threads = new Set<number>()
    for (let count = 0; count < 50; count++)
      threads.add(threadOf(await (await fetch(`${origin}/light`)).json()))
    writeFileSync(gates[1]!, '')
    await Promise.all(burning)
    assert.equal(threads.size, 1)
  })

  test('that wait for I/O run side by side in one thread', async () => {
    const { origin, app } = await open({ poolThreads: 1 })
    const gate = join(temporaryFolder(), 'gate')
    const answers = Array.from({ length: 50 }, () => fetch(`${origin}/later?until=${gate}`))
    await until(() => {
      app.pool!.measure()
      return app.state.stats.gauge('poolRunning') === 50
    })
    writeFileSync(gate, '')
    for (const answer of answers) assert.equal((await answer).status, 200)
  })
})

describe('a thread that dies', () => {
  for (const [path, reason] of [
    ['/exit', /ended with code 3/],
    ['/uncaught', /Nobody caught this/]
  ] as const) {
    test(`fails only its own requests and is replaced: ${path}`, async () => {
      const { origin, app } = await open({ poolThreads: 2 })
      for (let times = 0; times < 3; times++) {
        const answer = await fetch(origin + path)
        assert.equal(answer.status, 500)
        const body = (await answer.json()) as Record<string, unknown>
        assert.equal(body['code'], 'SCZ_ERR_POOL_THREAD')
        assert.match(String(body['message']), reason)
        assert.notEqual(threadOf(await (await fetch(`${origin}/light`)).json()), 0)
      }
      assert.equal(app.state.stats.counter('poolThreadsDied'), 3)
      await until(() => {
        app.pool!.measure()
        return app.state.stats.gauge('poolThreads') === 2
      })
    })
  }

  test('does not make the worker run a handler that ends threads', async () => {
    const { origin, app } = await open({ poolThreads: 1 })
    const answers = await Promise.all(Array.from({ length: 4 }, () => fetch(`${origin}/exit`)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([500]))
    assert.ok(app.state.stats.counter('poolThreadsDied') >= 1)
    assert.equal((await fetch(`${origin}/light`)).status, 200)
  })

  test('cuts an answer that had begun', async () => {
    const { port } = await open({ poolThreads: 1 })
    const client = await RawClient.open(port)
    client.send('GET /exit-after-head HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match(await client.closed, /^HTTP\/1\.1 200 OK\r\n[^]*begun\r\n$/)
  })
})

test('a pool whose threads die while they load the app is built anew, and requests run in the worker meanwhile', async () => {
  const folder = temporaryFolder({
    'app.mjs': `import { existsSync, writeFileSync } from 'node:fs'
      import { threadId } from 'node:worker_threads'
      const marker = new URL('./marker', import.meta.url)
      if (threadId !== 0 && existsSync(marker)) process.exit(7)
      export default async function app (fastify) {
        fastify.get('/thread', () => ({ threadId }))
        fastify.get('/break', () => { writeFileSync(marker, ''); process.exit(8) })
      }`
  })
  const app = await loadHere(join(folder, 'app.mjs'), { runtime: 'multithread', poolThreads: 1 })
  opened.push(app)
  await app.fastify.listen({ port: 0, host: '127.0.0.1' })
  const origin = `http://127.0.0.1:${(app.fastify.server.address() as AddressInfo).port}`
  const thread = async (): Promise<number> => threadOf(await (await fetch(`${origin}/thread`)).json())
  assert.notEqual(await thread(), 0)
  assert.equal((await fetch(`${origin}/break`)).status, 500)
  assert.equal(await thread(), 0)
  rmSync(join(folder, 'marker'))
  while ((await thread()) === 0) await pause(20)
})

describe('clients', () => {
  test('that never read do not make a handler write on', async () => {
    const log = join(temporaryFolder({ log: '' }), 'log')
    process.env['POOL_TEST_LOG'] = log
    const { port } = await open({ poolThreads: 1 })
    delete process.env['POOL_TEST_LOG']
    const client = await RawClient.open(port)
    client.socket.pause()
    client.send('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n')
    let before = ''
    // Whatever the kernel's buffers hold, the handler comes to rest.
    for (let rests = 0; rests < 5; rests++) {
      await pause(100)
      const text = readFileSync(log, 'utf8')
      if (text !== before) rests = 0
      before = text
    }
    const [, bytes = '0'] = /wrote (\d+)\n$/.exec(before) ?? []
    assert.ok(Number(bytes) > 0 && Number(bytes) < 64 * 1_048_576, `it wrote ${bytes} bytes`)
    client.close()
  })

  test('that go away leave no request behind', async () => {
    const { port, app } = await open({ poolThreads: 1 })
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(port)))
    for (const client of clients) client.send('GET /never HTTP/1.1\r\nHost: a\r\n\r\n')
    const { stats } = app.state
    await until(() => {
      app.pool!.measure()
      return stats.gauge('poolRunning') === 20
    })
    for (const client of clients) client.close()
    await until(() => {
      app.pool!.measure()
      return stats.gauge('poolRunning') === 0
    })
  })
})

test('close hooks run in every thread, after the requests in the pool have ended', async () => {
  const log = join(temporaryFolder({ log: '' }), 'log')
  process.env['POOL_TEST_LOG'] = log
  const { origin, app } = await open({ poolThreads: 2 })
  delete process.env['POOL_TEST_LOG']
  const gate = join(temporaryFolder(), 'gate')
  const answer = fetch(`${origin}/later?until=${gate}`)
  await until(() => {
    app.pool!.measure()
    return app.state.stats.gauge('poolRunning') === 1
  })
  const [closed] = opened.splice(0)
  const closing = closed!.fastify.close()
  writeFileSync(gate, '')
  assert.equal((await answer).status, 200)
  await closing
  assert.deepEqual(readFileSync(log, 'utf8').match(/closed thread/g), ['closed thread', 'closed thread'])
})

test('an app that fails in the pool fails the start with the same error as in the worker', async () => {
  const folder = temporaryFolder({
    'app.mjs': `import { threadId } from 'node:worker_threads'
      export default async function app () { if (threadId !== 0) throw new Error('Not in a thread') }`
  })
  await assert.rejects(loadHere(join(folder, 'app.mjs'), { runtime: 'multithread', poolThreads: 2 }), {
    code: 'SCZ_ERR_APP_START',
    message: 'Cannot start app.mjs: Not in a thread'
  })
})

test('a pool counts what it does', async () => {
  const { origin, app } = await open({ poolThreads: 2 })
  for (let times = 0; times < 5; times++) await fetch(`${origin}/light`)
  const { stats } = app.state
  app.pool!.measure()
  assert.equal(stats.counter('poolRequests'), 5)
  assert.equal(stats.gauge('poolThreads'), 2)
  assert.equal(stats.gauge('poolQueued'), 0)
  assert.ok(stats.gauge('poolHeapUsed') > 1_000_000)
  assert.equal(
    stats.poolWait().counts.reduce((sum, count) => sum + count, 0),
    5
  )
})
