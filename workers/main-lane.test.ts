import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { closed } from './testing/feature-app.ts'
import { listenHere } from './testing/loaded-app.ts'
import type { LoadedApp } from './testing/loaded-app.ts'
import { RawClient } from './testing/raw-client.ts'

let app: LoadedApp
let origin: string

before(async () => {
  app = await listenHere('./feature-app.ts')
  origin = `http://127.0.0.1:${app.port}`
})

after(() => app.fastify.close())

/** A raw request of the connection's usual form. */
function get(path: string, ...headers: string[]): string {
  return `${[`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`
}

describe('a connection that leaves the fast lane', () => {
  test('keeps the order of pipelined requests across both lanes', async () => {
    const client = await RawClient.open(app.port)
    client.send(
      get('/fast') + get('/stream') + get('/fast') + get('/missing') + get('/fast', 'Connection: close')
    )
    const bodies = (await client.closed).split(/HTTP\/1\.1 /).slice(1)
    assert.deepEqual(
      bodies.map((answer) => answer.slice(0, 3)),
      ['200', '200', '200', '404', '200']
    )
    assert.match(bodies[1]!, /three/)
  })

  test('goes on with Fastify when a request comes after fast answers', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports: (number | undefined)[] = []
    for (const path of ['/fast', '/fast', '/stream', '/fast', '/hijacked']) {
      const { status, localPort } = await getThrough(agent, path)
      assert.equal(status, 200)
      ports.push(localPort)
    }
    agent.destroy()
    assert.equal(new Set(ports).size, 1, 'all of them on one connection')
  })

  test('takes a body with it that arrived behind a fast request in the same read', async () => {
    const client = await RawClient.open(app.port)
    const body = 'x'.repeat(5000)
    client.send(
      `${get('/fast')}POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    )
    const digest = createHash('sha256').update(body).digest('hex')
    assert.match(await client.receive(new RegExp(digest)), new RegExp(digest))
    client.close()
  })
})

describe('Fastify on the main lane', () => {
  test('runs hooks around its routes, and fast routes with hooks are answered there', async () => {
    for (const path of ['/guarded', '/guarded/main']) {
      const refused = await fetch(origin + path)
      assert.equal(refused.status, 401)
      const allowed = await fetch(origin + path, { headers: { authorization: 'Bearer key' } })
      assert.equal(await allowed.text(), 'secret')
      assert.equal(allowed.headers.get('x-hook'), 'seen')
    }
  })

  test('streams responses', async () => {
    const response = await fetch(`${origin}/stream`)
    assert.equal(response.headers.get('transfer-encoding'), 'chunked')
    assert.equal(await response.text(), 'one two three')
  })

  test('streams large request bodies, with a length and chunked', async () => {
    const body = randomBytes(3_000_000)
    const digest = createHash('sha256').update(body).digest('hex')
    const headers = { 'content-type': 'application/x-bytes' }
    const whole = await fetch(`${origin}/digest`, { method: 'POST', headers, body })
    assert.equal(await whole.text(), digest)
    const chunked = await fetch(`${origin}/digest`, {
      method: 'POST',
      headers,
      body: new Blob([body]).stream(),
      duplex: 'half'
    })
    assert.equal(await chunked.text(), digest)
  })

  test('takes multipart uploads', async () => {
    const form = new FormData()
    form.append('file', new Blob(['a'.repeat(100_000)]), 'a.txt')
    const response = await fetch(`${origin}/upload`, { method: 'POST', body: form })
    assert.deepEqual(await response.json(), { name: 'a.txt', bytes: 100_000 })
  })

  test('validates bodies and answers errors in its own form', async () => {
    const response = await fetch(`${origin}/validated`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}'
    })
    assert.equal(response.status, 400)
    assert.deepEqual(await response.json(), {
      statusCode: 400,
      code: 'FST_ERR_VALIDATION',
      error: 'Bad Request',
      message: "body must have required property 'name'"
    })
  })

  test('lets a handler hijack the response', async () => {
    assert.equal(await (await fetch(`${origin}/hijacked`)).text(), 'hijacked')
  })

  test('sends 100 (Continue) before a body that waits for it', async () => {
    const client = await RawClient.open(app.port)
    client.send(
      `${get('/fast')}POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`
    )
    await client.receive(/100 Continue\r\n\r\n$/)
    client.send('ok')
    const answers = await client.receive(/[0-9a-f]{64}$/)
    assert.match(answers, /^HTTP\/1\.1 200 OK[^]*fastHTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
    client.close()
  })

  test('takes WebSockets on the same port', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}/echo-socket`)
    const reply = await new Promise((resolve, reject) => {
      socket.on('open', () => socket.send('hello')).on('error', reject)
      socket.on('message', (data: Buffer) => resolve(data.toString()))
    })
    assert.equal(reply, 'echo hello')
    socket.close()
  })

  test('takes an upgrade on a connection that has had fast answers', async () => {
    const client = await RawClient.open(app.port)
    client.send(
      get('/fast') +
        get(
          '/echo-socket',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
        )
    )
    assert.match(
      await client.receive(/Sec-WebSocket-Accept/),
      /fastHTTP\/1\.1 101 [^]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/
    )
    client.close()
  })
})

describe('malformed requests', () => {
  test('are refused behind the answers to the requests before them', async () => {
    const client = await RawClient.open(app.port)
    client.send(`${get('/stream')}${get('/fast')}GET / HTTP/1.1\r\nBad Header: x\r\n\r\n`)
    const statuses = [...(await client.closed).matchAll(/^HTTP\/1\.1 (\d+)|(?<=[^\n])HTTP\/1\.1 (\d+)/gm)]
    assert.deepEqual(
      statuses.map((match) => match[1] ?? match[2]),
      ['200', '200', '400']
    )
  })

  for (const [name, request] of [
    ['two Hosts', 'GET /stream HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
    ['a list of Hosts', 'GET /stream HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['an empty Host', 'GET /stream HTTP/1.1\r\nHost:\r\n\r\n'],
    ['userinfo in the Host', 'GET /stream HTTP/1.1\r\nHost: me@a\r\n\r\n'],
    ['a path in the Host', 'GET /stream HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['a blank in the Host', 'GET /stream HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['* for GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an empty Transfer-Encoding', 'GET /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n'],
    [
      'an upgrade with two Hosts',
      'GET /echo-socket HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    ],
    [
      'an expectation with two Hosts',
      'POST /digest HTTP/1.1\r\nHost: a\r\nHost: b\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n'
    ]
  ] as const) {
    test(`are refused with 400 and closed: ${name}`, async () => {
      const client = await RawClient.open(app.port)
      client.send(request)
      assert.match(await client.closed, /^HTTP\/1\.1 400 Bad Request\r\n/)
    })
  }

  test('with a head of more than 16 KiB get 431', async () => {
    const client = await RawClient.open(app.port)
    client.send(`GET /fast HTTP/1.1\r\nHost: a\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`)
    assert.match(await client.closed, /^HTTP\/1\.1 431 /)
  })
})

test('closing runs the close hooks and ends idle connections of both lanes', async () => {
  const other = await listenHere('./feature-app.ts')
  const fast = await RawClient.open(other.port)
  const main = await RawClient.open(other.port)
  fast.send(get('/fast'))
  main.send(get('/hijacked'))
  await Promise.all([fast.receive(/fast$/), main.receive(/hijacked$/)])
  closed.length = 0
  await other.fastify.close()
  assert.deepEqual(closed, ['preClose', 'onClose'])
  await Promise.all([fast.closed, main.closed])
})

function getThrough(
  agent: Agent,
  path: string
): Promise<{ status: number | undefined; localPort: number | undefined }> {
  return new Promise((resolve, reject) => {
    httpRequest(origin + path, { agent }, (response) => {
      const { localPort } = response.socket
      response.resume().on('end', () => resolve({ status: response.statusCode, localPort }))
    })
      .on('error', reject)
      .end()
  })
}
