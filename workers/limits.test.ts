import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resolveSettings } from '../core/settings.ts'
import type { GivenSettings } from '../core/settings.ts'
import { limitsFor } from './limits.ts'
import type { AppOptions, Limits } from './limits.ts'
import { listenHere } from './testing/loaded-app.ts'
import type { LoadedApp } from './testing/loaded-app.ts'
import { RawClient } from './testing/raw-client.ts'

const lanes = [
  ['fast', '/plaintext'],
  ['main', '/item/1']
] as const

test('the defaults are these', () => {
  assert.deepEqual(limits({}, {}), {
    maxConnections: 32_768,
    maxRequests: 0,
    bodyLimit: 1_048_576,
    headersTimeout: 15_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 72_000,
    sendTimeout: 30_000,
    connectionTimeout: 0
  })
})

test("the app's options win over the defaults, and who runs the server wins over the app", () => {
  const app = {
    bodyLimit: 5,
    keepAliveTimeout: 6,
    maxRequestsPerSocket: 7,
    requestTimeout: 8,
    http: { headersTimeout: 4 }
  }
  const { bodyLimit, keepAliveTimeout, maxRequests, requestTimeout, headersTimeout } = limits({}, app)
  assert.deepEqual(
    [bodyLimit, keepAliveTimeout, maxRequests, requestTimeout, headersTimeout],
    [5, 6, 7, 8, 4]
  )
  const given = {
    bodyLimit: 50,
    keepAliveTimeout: 0.06,
    maxRequests: 70,
    requestTimeout: 0.08,
    headersTimeout: 0.04
  }
  assert.deepEqual(
    Object.entries(limits(given, app)).filter(([name]) => name in given),
    [
      ['maxRequests', 70],
      ['bodyLimit', 50],
      ['headersTimeout', 40],
      ['requestTimeout', 80],
      ['keepAliveTimeout', 60]
    ]
  )
})

test('the time for heads is never longer than that for whole requests', () => {
  assert.equal(limits({ requestTimeout: 5 }, {}).headersTimeout, 5000)
  assert.equal(limits({ requestTimeout: 5, headersTimeout: 0 }, {}).headersTimeout, 5000)
  assert.equal(limits({ requestTimeout: 0 }, {}).headersTimeout, 15_000)
})

for (const [lane, path] of lanes) {
  describe(`on the ${lane} lane`, { concurrency: true }, () => {
    test('the last request that a connection may have is told so, and the connection ends', async () => {
      const app = await listenHere('./operated-app.ts', { maxRequests: 3 })
      const client = await RawClient.open(app.port)
      for (let count = 1; count <= 3; count++) {
        client.send(get(path))
        await client.receive(new RegExp(`(HTTP/1.1 200 [^]*){${count}}`))
      }
      assertLastCloses(await client.closed, 3)
      await app.fastify.close()
    })

    test('requests that were pipelined beyond the limit are not answered', async () => {
      const app = await listenHere('./operated-app.ts', { maxRequests: 3 })
      const client = await RawClient.open(app.port)
      client.send(get(path).repeat(5))
      assertLastCloses(await client.closed, 3)
      await app.fastify.close()
    })

    test('an idle connection ends when its time is over', async () => {
      const app = await listenHere('./operated-app.ts', { keepAliveTimeout: 0.2 })
      const client = await RawClient.open(app.port)
      client.send(get(path))
      assert.match(await client.closed, /^HTTP\/1\.1 200 /)
      await app.fastify.close()
    })

    test('connections above the limit are closed at once', async () => {
      const app = await listenHere('./operated-app.ts', { maxConnections: 2 })
      const clients = [await RawClient.open(app.port), await RawClient.open(app.port)]
      for (const client of clients) {
        client.send(get(path))
        await client.receive(/HTTP\/1\.1 200 /)
      }
      const third = await RawClient.open(app.port)
      assert.equal(await third.closed, '')
      for (const client of clients) client.close()
      await app.fastify.close()
    })
  })
}

test('requests of both lanes count for one connection', async () => {
  const app = await listenHere('./operated-app.ts', { maxRequests: 4 })
  const client = await RawClient.open(app.port)
  client.send(get('/plaintext').repeat(2) + get('/item/1').repeat(4))
  const answers = await client.closed
  assertLastCloses(answers, 4)
  assert.equal(answers.split('Hello, World!').length - 1, 2)
  await app.fastify.close()
})

test('a body above the limit gets 413', async () => {
  const app = await listenHere('./operated-app.ts', { bodyLimit: 10 })
  const post = (length: number): Promise<number> => statusOf(app, 'a'.repeat(length))
  assert.deepEqual([await post(10), await post(11)], [200, 413])
  await app.fastify.close()
})

async function statusOf(app: LoadedApp, body: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${app.port}/body`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'text/plain', connection: 'close' }
  })
  await response.text()
  return response.status
}

function assertLastCloses(received: string, count: number): void {
  const answers = received.split(/(?=HTTP\/1\.1 )/)
  assert.deepEqual(
    answers.map((answer) => [answer.startsWith('HTTP/1.1 200 '), /\r\nConnection: close\r\n/i.test(answer)]),
    Array.from({ length: count }, (_, index) => [true, index === count - 1])
  )
}

function limits(given: GivenSettings, app: AppOptions): Limits {
  return limitsFor(resolveSettings(given, {}, { spell: (name) => name, isCommand: false }), app)
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
}
