import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'
import { RawClient } from './testing/raw-client.ts'
import { ca, connectTls, listenTls, openTls } from './testing/tls-app.ts'
import type { TlsApp } from './testing/tls-app.ts'

let app: TlsApp

before(async () => {
  app = await listenTls('./feature-app.ts')
})

after(() => app.fastify.close())

function get(path: string, ...headers: string[]): string {
  return `${[`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`
}

describe('over TLS', () => {
  test('the fast lane answers pipelined requests in one write', async () => {
    const client = await openTls(app.port)
    let reads = 0
    client.socket.on('data', () => reads++)
    const before = app.state.stats.requests('fast', 2)
    client.send(get('/fast').repeat(16))
    const answers = await client.receive(/(?:fast[^]*){16}$/)
    assert.equal(answers.match(/HTTP\/1\.1 200 OK/g)?.length, 16)
    assert.equal(reads, 1)
    assert.equal(app.state.stats.requests('fast', 2) - before, 16)
    client.close()
  })

  test('a connection moves to the main lane in the middle of a pipeline, and keeps the order', async () => {
    const client = await openTls(app.port)
    client.send(
      get('/fast') + get('/stream') + get('/fast') + get('/missing') + get('/fast', 'Connection: close')
    )
    const answers = (await client.closed).split(/HTTP\/1\.1 /).slice(1)
    assert.deepEqual(
      answers.map((answer) => answer.slice(0, 3)),
      ['200', '200', '200', '404', '200']
    )
    assert.match(answers[1]!, /three/)
  })

  test('a request is answered when it arrives one byte at a time', async () => {
    const client = await openTls(app.port)
    for (const character of get('/fast') + get('/stream')) client.send(character)
    assert.match(await client.receive(/three[^]*\r\n0\r\n\r\n$/), /^HTTP\/1\.1 200 OK[^]*fastHTTP\/1\.1 200/)
    client.close()
  })

  test('long answers arrive whole on either lane', async () => {
    for (const headers of [{}, { 'content-length': 0 }])
      assert.equal((await getThrough(new Agent({ ca }), '/large', headers)).body.length, 1_000_000)
  })

  test('a client of Node keeps its connection alive across both lanes', async () => {
    const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    for (const path of ['/fast', '/fast', '/stream', '/fast', '/hijacked'])
      ports.add((await getThrough(agent, path)).localPort)
    agent.destroy()
    assert.equal(ports.size, 1)
  })

  test('a client that offers no protocol, or ends its side, is served HTTP/1.1', async () => {
    const socket = connectTls(app.port, { ALPNProtocols: [] })
    const client = await RawClient.on(socket, 'secureConnect')
    socket.end(get('/stream'))
    assert.match(await client.closed, /^HTTP\/1\.1 /)
  })

  test('malformed requests are refused with 400 and closed', async () => {
    for (const head of ['GET /fast HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'garbage\r\n\r\n']) {
      const client = await openTls(app.port)
      client.send(head)
      assert.match(await client.closed, /^HTTP\/1\.1 400 Bad Request\r\n/)
    }
  })

  test('WebSockets are taken on the same port', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${app.port}/echo-socket`, { ca })
    socket.on('open', () => socket.send('hello'))
    const [data] = await once(socket, 'message')
    assert.equal(String(data), 'echo hello')
    socket.close()
  })
})

describe('a connection that does not speak TLS', () => {
  for (const [what, bytes] of [
    ['plain HTTP', get('/fast')],
    ['the preface of plain HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['garbage', '\u0000\u0001garbage\u00ff'.repeat(100)],
    ['a record of TLS with garbage in it', `\u0016\u0003\u0001\u0000\u0010${'\u00ff'.repeat(16)}`]
  ] as const) {
    test(`is closed without an answer: ${what}`, async () => {
      const client = await RawClient.open(app.port)
      client.send(bytes)
      assert.doesNotMatch(await client.closed, /HTTP/)
      assert.equal((await getThrough(new Agent({ ca }), '/fast')).body, 'fast')
    })
  }

  test('is cut when its handshake takes longer than a head may', async () => {
    const strict = await listenTls('./feature-app.ts', { headersTimeout: 0.3 })
    const silent = await RawClient.open(strict.port)
    const slow = await RawClient.open(strict.port)
    slow.send('\u0016\u0003\u0001\u0002\u0000\u0001')
    await Promise.all([silent.closed, slow.closed])
    assert.equal(strict.state.stats.counter('connectionsTimedOut'), 2)
    await strict.fastify.close()
  })
})

test('a client without a protocol in common is refused in the handshake', async () => {
  const socket = connectTls(app.port, { ALPNProtocols: ['spdy/3'] })
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
})

test('with HTTP/2 off, a client that knows both gets HTTP/1.1, and one that knows no other is refused', async () => {
  const plain = await listenTls('./feature-app.ts', { http2: false })
  const both = connectTls(plain.port, { ALPNProtocols: ['h2', 'http/1.1'] })
  await once(both, 'secureConnect')
  assert.equal(both.alpnProtocol, 'http/1.1')
  both.destroy()
  const [error] = (await once(connectTls(plain.port, { ALPNProtocols: ['h2'] }), 'error')) as [
    NodeJS.ErrnoException
  ]
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  await plain.fastify.close()
})

test('TLS before 1.2 is refused', async () => {
  const socket = connectTls(app.port, {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0'
  })
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
})

test('more connections than allowed are closed before their handshake', async () => {
  const small = await listenTls('./feature-app.ts', { maxConnections: 1 })
  const first = await openTls(small.port)
  const second = connectTls(small.port)
  await new Promise((resolve) => second.on('error', resolve).on('close', resolve))
  first.send(get('/fast'))
  assert.match(await first.receive(/fast$/), /200 OK/)
  assert.equal(small.state.stats.counter('connectionsRefused'), 1)
  first.close()
  await small.fastify.close()
})

test('a client that leaves right behind its handshake leaves nothing behind', async () => {
  const other = await listenTls('./feature-app.ts')
  const client = await openTls(other.port)
  client.close()
  // It ends by itself: nothing cuts what is left.
  while ((await promisify(other.server.getConnections.bind(other.server))()) > 0)
    await new Promise((resolve) => setImmediate(resolve))
  await other.fastify.close()
})

describe('draining', () => {
  test('ends the idle connections of both lanes', async () => {
    const other = await listenTls('./feature-app.ts')
    const fast = await openTls(other.port)
    const main = await openTls(other.port)
    fast.send(get('/fast'))
    main.send(get('/hijacked'))
    await Promise.all([fast.receive(/fast$/), main.receive(/hijacked$/)])
    await other.fastify.close()
    await Promise.all([fast.closed, main.closed])
  })

  test('cuts what is left, even in the middle of a handshake', async () => {
    const other = await listenTls('./feature-app.ts')
    const main = await openTls(other.port)
    main.send(`POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n`)
    const silent = connect(other.port, '127.0.0.1')
    await once(silent, 'connect')
    const closed = other.fastify.close()
    while (other.state.openRequests === 0) await new Promise((resolve) => setImmediate(resolve))
    other.draining.cut()
    await Promise.all([closed, main.closed, once(silent, 'close')])
  })
})

function getThrough(
  agent: Agent,
  path: string,
  headers: Readonly<Record<string, string | number>> = {}
): Promise<{ localPort: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    httpsRequest({ host: '127.0.0.1', port: app.port, path, agent, headers }, (response) => {
      const { localPort } = response.socket
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ localPort, body }))
    })
      .on('error', reject)
      .end()
  })
}
