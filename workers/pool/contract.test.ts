import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import type { App } from '../app.ts'
import { loadHere } from '../testing/loaded-app.ts'
import { RawClient } from '../testing/raw-client.ts'

const FILE = fileURLToPath(new URL('../testing/contract-app.ts', import.meta.url))

interface Answer {
  readonly status: number
  readonly message: string
  /** As they came, without the Date. */
  readonly headers: readonly string[]
  readonly trailers: readonly string[]
  readonly body: Buffer
}

const apps = {} as Record<'current' | 'pooled', { app: App; port: number }>

before(async () => {
  for (const [name, given] of [
    ['current', { runtime: 'current_thread' }],
    ['pooled', { runtime: 'multithread', poolThreads: 1 }]
  ] as const) {
    const app = await loadHere(FILE, given)
    await app.fastify.listen({ port: 0, host: '127.0.0.1' })
    apps[name] = { app, port: (app.fastify.server.address() as AddressInfo).port }
  }
})

after(async () => {
  await apps.current.app.fastify.close()
  await apps.pooled.app.fastify.close()
})

interface Asked {
  readonly method?: string
  readonly headers?: IncomingHttpHeaders
  readonly body?: string | Buffer
  readonly chunked?: boolean
}

const agent = new Agent({ keepAlive: true })
after(() => agent.destroy())

function ask(port: number, path: string, { method, headers, body, chunked }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        agent,
        port,
        path,
        host: '127.0.0.1',
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            message: incoming.statusMessage ?? '',
            headers: withoutDate(incoming.rawHeaders),
            trailers: incoming.rawTrailers,
            body: Buffer.concat(chunks)
          })
        )
      }
    )
    outgoing.setHeader('host', 'example.test')
    outgoing.on('error', reject)
    if (chunked === true) {
      outgoing.flushHeaders()
      const bytes = Buffer.from(body ?? '')
      for (let at = 0; at < bytes.length; at += 100_000) outgoing.write(bytes.subarray(at, at + 100_000))
      outgoing.end()
    } else outgoing.end(body)
  })
}

function withoutDate(raw: readonly string[]): string[] {
  return raw.flatMap((value, index) => (raw[index - (index % 2)]!.toLowerCase() === 'date' ? [] : value))
}

async function thread(port: number, path: string): Promise<unknown> {
  return JSON.parse((await ask(port, path)).body.toString())
}

/** Asks both modes, holds the answers together, and gives one. */
async function same(path: string, asked?: Asked): Promise<Answer> {
  const [expected, actual] = await Promise.all([
    ask(apps.current.port, path, asked),
    ask(apps.pooled.port, path, asked)
  ])
  assert.equal(actual.status, expected.status)
  assert.equal(actual.message, expected.message)
  assert.deepEqual(actual.headers, expected.headers)
  assert.deepEqual(actual.trailers, expected.trailers)
  if (!actual.body.equals(expected.body)) assert.equal(actual.body.toString(), expected.body.toString())
  return actual
}

/** Sends bytes on a connection of its own and gives all that came back, without Dates. */
async function exchange(port: number, text: string): Promise<string> {
  const client = await RawClient.open(port)
  client.send(text)
  return (await client.closed).replaceAll(/^Date: .*\r\n/gm, '')
}

async function sameBytes(text: string): Promise<string> {
  const [expected, actual] = await Promise.all([
    exchange(apps.current.port, text),
    exchange(apps.pooled.port, text)
  ])
  assert.equal(actual, expected)
  return actual
}

const statuses: Readonly<Record<string, number>> = {
  '/json': 200,
  '/text': 200,
  '/cookies': 200,
  '/empty': 200,
  '/none': 204,
  '/unchanged': 304,
  '/teapot': 418,
  '/redirect': 302,
  '/buffer': 200,
  '/stream': 200,
  '/slow-stream': 200,
  '/large-stream': 200,
  '/web-stream': 201,
  '/trailers': 200,
  '/close': 200,
  '/params/a%20b?c=d&c=e': 200,
  '/throws': 500,
  '/rejects': 503,
  '/validated': 400,
  '/validated?n=1': 200,
  '/missing': 404,
  '/%zz': 400,
  '/hijacked': 200,
  '/implicit': 202,
  '/flat': 200,
  '/mixed': 200,
  '/pieces': 200,
  '/raw-trailers': 200,
  '/hints': 200,
  '/flushed': 200,
  '/hooked': 200,
  '/hooked/': 200,
  '/hooked/fine': 200,
  '/hooked/fails': 500
}

describe('a pool gives the answers that the worker would give', () => {
  for (const [path, status] of Object.entries(statuses)) {
    test(`to GET ${path}`, async () => {
      assert.equal((await same(path)).status, status)
    })
    test(`to HEAD ${path}`, async () => {
      // Fastify's own answer has two lengths, and Node's client does not take it.
      if (path === '/trailers') return
      const { body } = await same(path, { method: 'HEAD' })
      assert.equal(body.length, 0)
    })
    test(`to GET ${path} of HTTP/1.0`, async () => {
      if (path.includes('railers')) return
      await sameBytes(`GET ${path} HTTP/1.0\r\nHost: example.test\r\n\r\n`)
    })
  }

  test('to a method that a path does not have', async () => {
    assert.equal((await same('/json', { method: 'DELETE' })).status, 404)
    assert.equal((await same('/json', { method: 'OPTIONS' })).status, 404)
  })

  test('with trailers', async () => {
    assert.deepEqual((await same('/trailers')).trailers, ['x-digest', '13'])
    assert.deepEqual((await same('/raw-trailers')).trailers, ['X-Sum', '6'])
  })

  test('with early hints before the head', async () => {
    const answer = await sameBytes('GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(answer, /^HTTP\/1\.1 103 Early Hints\r\n[^]*HTTP\/1\.1 102 [^]*HTTP\/1\.1 200 OK\r\n/)
  })

  test('of 20 MiB, and of a buffer that it goes on using', async () => {
    const { body } = await same('/large')
    assert.ok(body.equals(Buffer.alloc(20 * 1_048_576, 'large ')))
    for (let times = 0; times < 100; times++) {
      const { body } = await ask(apps.pooled.port, '/shared')
      assert.ok(body.equals(Buffer.alloc(4096, 'shared ')))
    }
  })

  test('and cuts the connection where a stream breaks', async () => {
    for (const { port } of Object.values(apps)) {
      const answer = await exchange(port, 'GET /broken-stream HTTP/1.1\r\nHost: a\r\n\r\n')
      assert.match(answer, /a part/)
      assert.doesNotMatch(answer, /\r\n0\r\n/)
    }
  })

  test('and cuts the connection where the handler destroys its response', async () => {
    assert.equal(await sameBytes('GET /destroyed HTTP/1.1\r\nHost: a\r\n\r\n'), '')
  })
})

describe('a request in the pool is the one that the worker has', () => {
  test('with its headers, addresses and names', async () => {
    const headers = { 'X-Twice': ['1', '2'], cookie: 'a=1; b=2', 'x-forwarded-for': '203.0.113.9, 10.1.1.1' }
    const { body } = await same('/who', { headers: headers as unknown as IncomingHttpHeaders })
    const seen = JSON.parse(body.toString()) as Record<string, unknown>
    assert.equal(seen['ip'], '203.0.113.9')
    assert.equal(seen['remote'], '127.0.0.1')
    assert.equal(seen['local'], '127.0.0.1')
    assert.equal(seen['hasPort'], true)
    assert.deepEqual((seen['distinct'] as Record<string, unknown>)['x-twice'], ['1', '2'])
  })

  test('with the protocol that a trusted proxy tells', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'outside.test' }
    const { body } = await same('/who', { headers })
    assert.match(body.toString(), /"protocol":"https","host":"outside.test"/)
  })

  const types = {
    'application/json': '{"a":[1,"\u00fc"]}',
    'text/plain': 'text \u4e16',
    'application/x-www-form-urlencoded': 'a=1&b=%20',
    'application/octet-stream': randomBytes(1000)
  }
  for (const [type, body] of Object.entries(types)) {
    for (const chunked of [false, true]) {
      test(`with a body of ${type}${chunked ? ', chunked' : ''}`, async () => {
        const { status } = await same('/echo', { body, chunked, headers: { 'content-type': type } })
        assert.equal(status, 200)
      })
    }
  }

  test('with bodies around the limit of what is sent to a thread', async () => {
    for (const length of [1_048_575, 1_048_576, 1_048_577, 3_000_000]) {
      for (const chunked of [false, true]) {
        const body = randomBytes(length)
        const asked = { body, chunked, headers: { 'content-type': 'application/octet-stream' } }
        const { body: answer } = await same('/echo', asked)
        const digest = createHash('sha256').update(body).digest('hex')
        assert.deepEqual(JSON.parse(answer.toString()), { bytes: length, digest })
        assert.match((await same('/piped', asked)).body.toString(), new RegExp(digest))
      }
    }
  })

  test('and is refused when its body is malformed, too long or of an unknown type', async () => {
    const json = { 'content-type': 'application/json' }
    assert.equal((await same('/echo', { body: '{', headers: json })).status, 400)
    assert.equal((await same('/echo', { body: 'x', headers: { 'content-type': 'image/png' } })).status, 415)
    assert.equal((await same('/small', { body: '"0123456789"', headers: json })).status, 413)
    assert.equal((await same('/small', { body: '"0123456789"', headers: json, chunked: true })).status, 413)
    const bytes = { 'content-type': 'application/octet-stream' }
    const body = Buffer.alloc(1_048_577)
    assert.equal((await same('/default', { body, headers: bytes, chunked: true })).status, 413)
  })

  test('and is refused for a Content-Length that is too long before its body has come', async () => {
    await Promise.all(
      Object.values(apps).map(async ({ port }) => {
        const client = await RawClient.open(port)
        client.send(
          'POST /small HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n'
        )
        assert.match(await client.receive(/413/), /413/)
        client.close()
      })
    )
  })

  test('with files', async () => {
    const boundary = 'x-boundary'
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n${'a'.repeat(70_000)}\r\n--${boundary}--\r\n`
    const asked = { body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
    const answer = await same('/upload', asked)
    assert.match(answer.body.toString(), /"name":"a\.txt","bytes":70000/)
  })

  test('with trailers', async () => {
    const answer = await sameBytes(
      'POST /piped HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: yes\r\n\r\n'
    )
    assert.match(answer, /"x-t":"yes"/)
  })

  test('after the client was told to continue', async () => {
    const answer = await sameBytes(
      'POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi'
    )
    assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*"hi"/)
  })

  test('and pipelined ones are answered in their order', async () => {
    const paths = ['/slow-stream', '/json', '/inline', '/pieces', '/missing', '/none', '/text']
    const texts = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    const found: string[][] = []
    for (const { port } of Object.values(apps)) {
      const answer = await exchange(port, `${texts.join('')}GET /close HTTP/1.1\r\nHost: a\r\n\r\n`)
      found.push([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status))
    }
    assert.deepEqual(found[1], found[0])
    assert.deepEqual(found[1], ['200', '200', '200', '200', '404', '204', '200', '200'])
  })
})

describe('hooks run in the pool', () => {
  for (const [method, path] of [
    ['GET', '/hooked/fine'],
    ['GET', '/hooked/fails'],
    ['POST', '/hooked/post'],
    ['HEAD', '/hooked/fine']
  ] as const) {
    test(`once each for ${method} ${path}`, async () => {
      const seen: unknown[] = []
      for (const { port } of Object.values(apps)) {
        await ask(port, '/events')
        const body = method === 'POST' ? { body: 'x', headers: { 'content-type': 'text/plain' } } : {}
        await ask(port, path, { method, ...body })
        seen.push(JSON.parse((await ask(port, '/events')).body.toString()))
      }
      assert.deepEqual(seen[1], seen[0])
      assert.ok((seen[1] as string[]).includes('onRequest'))
    })
  }

  test('and tell when the client goes away', async () => {
    const seen: string[][] = []
    for (const { port } of Object.values(apps)) {
      const client = await RawClient.open(port)
      client.send('GET /waits HTTP/1.1\r\nHost: a\r\n\r\n')
      const events: string[] = []
      const until = async (event: RegExp): Promise<void> => {
        while (!events.some((seen) => event.test(seen)))
          events.push(...(JSON.parse((await ask(port, '/events')).body.toString()) as string[]))
      }
      await until(/^waiting/)
      client.close()
      await until(/^request close/)
      await until(/^response close/)
      await until(/^socket close/)
      await until(/^onRequestAbort/)
      seen.push(events.sort())
    }
    assert.deepEqual(seen[1], seen[0])
  })
})

describe('what stays on the loop of the worker', () => {
  test('is a route that asks for it, and nothing else', async () => {
    assert.deepEqual(await thread(apps.current.port, '/thread'), { threadId: 0 })
    assert.notDeepEqual(await thread(apps.pooled.port, '/thread'), { threadId: 0 })
    for (const path of ['/inline', '/nested', '/nested/', '/inline?a=b'])
      assert.deepEqual(await thread(apps.pooled.port, path), { threadId: 0 })
  })

  test('is a WebSocket', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${apps.pooled.port}/socket`)
    const answer = await new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('open', () => socket.send('hello'))
      socket.on('message', (data: Buffer) => resolve(data.toString()))
    })
    socket.close()
    assert.equal(answer, 'echo hello')
    assert.equal((await same('/socket')).status, 404)
  })

  test('is the socket: a handler in the pool that writes to it answers with an error', async () => {
    const { status, body } = await ask(apps.pooled.port, '/to-socket')
    assert.equal(status, 500)
    assert.match(body.toString(), /"code":"SCZ_ERR_POOL_SOCKET"/)
  })
})
