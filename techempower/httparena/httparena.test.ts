import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { WebSocket } from 'ws'
import { freePort } from '../../workers/testing/ports.ts'
import type { Answer } from '../testing/answer.ts'
import { Image } from '../testing/container.ts'
import type { Container } from '../testing/container.ts'
import { Wire, ask, get } from '../testing/wire.ts'
import { createMounts, staticFiles } from './testing/mounts.ts'
import type { Item } from './testing/mounts.ts'

/** Between the fragments of a request, in milliseconds, as in the benchmark's validation. */
const PAUSE = 30

const mounts = createMounts()
let container: Container
let port = 0
let httpsPort = 0

before(async () => {
  const image = await Image.build(fileURLToPath(new URL('Dockerfile', import.meta.url)))
  port = await freePort()
  httpsPort = await freePort()
  const environment = {
    SCHERZO_HOST: '127.0.0.1',
    HTTP_PORT: String(port),
    HTTPS_PORT: String(httpsPort),
    CERTIFICATES: mounts.certificates,
    DATA: mounts.data
  }
  container = await image.run(environment, [`http://127.0.0.1:${port}`, `https://127.0.0.1:${httpsPort}`])
})

after(async () => {
  const { code, stdout, stderr } = await container.stop()
  deepEqual([code, stdout, stderr], [0, '', ''])
})

describe('baseline and limited-conn', () => {
  const target = '/baseline11?a=13&b=42'

  test('GET sums the query', async () => {
    isText(await ask(port, get(target)), '55')
    const [a, b] = [randomInt(100, 1000), randomInt(100, 1000)]
    isText(await ask(port, get(`/baseline11?a=${a}&b=${b}`)), String(a + b))
  })

  for (const contentType of [
    'Content-Type: text/plain',
    'Content-Type: application/x-www-form-urlencoded',
    null
  ]) {
    test(`POST adds the body, with a length and in chunks, ${contentType ?? 'without a Content-Type'}`, async () => {
      const type = contentType === null ? [] : [contentType]
      for (const body of ['20', String(randomInt(100, 1000)), String(randomInt(1000, 10_000))]) {
        const sum = String(55 + Number(body))
        const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        isText(await ask(port, post(target, ...type, `Content-Length: ${body.length}`) + body), sum)
        isText(await ask(port, post(target, ...type, 'Transfer-Encoding: chunked') + chunk), sum)
      }
    })
  }

  const head = post(target, 'Content-Type: text/plain', 'Content-Length: 2', 'Connection: close')
  for (const [what, sum, fragments] of [
    [
      'its line',
      '55',
      ['GET /baseli', 'ne11?a=13&b=42 HTTP/1.1\r\n', 'Host: localhost\r\nConnection: close\r\n\r\n']
    ],
    [
      'its headers',
      '55',
      [
        'GET /baseline11?a=13&b=42 HTTP/1.1\r\n',
        'Host: localhost\r\n',
        'User-Agent: fragments\r\n',
        'Connection: close\r\n\r\n'
      ]
    ],
    ['head and body', '75', [head, '20']],
    ['its body', '75', [head, '2', '0']]
  ] as const) {
    test(`a request in fragments, cut in ${what}, is answered and its connection closed`, async () => {
      const wire = await Wire.open(port)
      await wire.sendFragments(fragments, PAUSE)
      isText(await wire.read(), sum)
      await wire.closed
    })
  }

  test('the three kinds of requests may share a connection, in any order', async () => {
    const wire = await Wire.open(port)
    const three = [
      [get(target), '55'],
      [`${post(target, 'Content-Length: 2')}20`, '75'],
      [`${post(target, 'Transfer-Encoding: chunked')}2\r\n20\r\n0\r\n\r\n`, '75']
    ] as const
    for (let times = 0; times < 4; times++) {
      for (const [request] of three) wire.send(request)
      for (const [, sum] of three) isText(await wire.read(), sum)
    }
    wire.close()
  })

  test('connections that leave after ten requests each are followed by others', async () => {
    for (let round = 0; round < 5; round++) {
      const wires = await Promise.all(Array.from({ length: 50 }, () => Wire.open(port)))
      for (let times = 0; times < 10; times++) {
        for (const wire of wires) wire.send(get(target))
        for (const wire of wires) isText(await wire.read(), '55')
      }
      for (const wire of wires) wire.close()
    }
  })
})

describe('pipelined', () => {
  test('16 requests at once are answered', async () => {
    const wire = await Wire.open(port)
    wire.send(get('/pipeline').repeat(16))
    for (let times = 0; times < 16; times++) isText(await wire.read(), 'ok')
    equal(wire.unread.length, 0)
    wire.close()
  })
})

describe('json', () => {
  for (const [count, m] of [
    [12, 3],
    [22, 7],
    [31, 2],
    [50, 5],
    [1, 1],
    [0, 9]
  ] as const) {
    test(`gives the first ${count} items with their totals times ${m}`, async () => {
      const answer = await ask(port, get(`/json/${count}?m=${m}`))
      equal(answer.headers.has('content-encoding'), false)
      isJson(answer, answer.body, count, m)
    })
  }

  test('more items than there are, or no number, are refused', async () => {
    for (const target of ['/json/51?m=1', '/json/-1?m=1', '/json/many?m=1', '/json/5?m=x', '/json/5'])
      equal((await ask(port, get(target))).status, 400, target)
  })
})

describe('json-comp', () => {
  for (const [accepted, encodings] of [
    ['gzip, br', ['gzip', 'br']],
    ['gzip', ['gzip']],
    ['br', ['br']]
  ] as const) {
    test(`a client that accepts ${accepted} gets that`, async () => {
      for (const [count, m] of [
        [25, 3],
        [40, 7],
        [50, 2],
        [50, 1]
      ] as const) {
        const answer = await ask(port, get(`/json/${count}?m=${m}`, `Accept-Encoding: ${accepted}`))
        ok((encodings as readonly string[]).includes(answer.headers.get('content-encoding') ?? ''))
        match(answer.headers.get('vary') ?? '', /accept-encoding/i)
        isJson(answer, decoded(answer), count, m)
      }
    })
  }

  for (const headers of [[], ['Accept-Encoding: identity'], ['Accept-Encoding: gzip;q=0, br;q=0']]) {
    test(`a client that sends ${headers[0] ?? 'no Accept-Encoding'} gets none`, async () => {
      const answer = await ask(port, get('/json/50?m=1', ...headers))
      equal(answer.headers.has('content-encoding'), false)
      isJson(answer, answer.body, 50, 1)
    })
  }
})

describe('json-tls', () => {
  test('offers HTTP/1.1 and nothing else', async () => {
    const socket = connect({ ...tls(), ALPNProtocols: ['h2', 'http/1.1'] })
    await once(socket, 'secureConnect')
    equal(socket.alpnProtocol, 'http/1.1')
    socket.destroy()
  })

  test('gives the same over TLS, on one connection', async () => {
    const wire = await Wire.on(connect(tls()), 'secureConnect')
    for (const [count, m] of [
      [7, 2],
      [23, 11],
      [50, 1]
    ] as const) {
      wire.send(get(`/json/${count}?m=${m}`))
      const answer = await wire.read()
      isJson(answer, answer.body, count, m)
    }
    wire.close()
  })
})

describe('upload', () => {
  const octets = 'Content-Type: application/octet-stream'
  for (const [what, body] of [
    ['a small body', Buffer.from('Hello, HttpArena!')],
    ['nothing', Buffer.alloc(0)],
    ['a random body', randomBytes(randomInt(40, 60))],
    ['500 KiB', randomBytes(512_000)],
    ['2 MiB', randomBytes(2 * 2 ** 20)],
    ['10 MiB', randomBytes(10 * 2 ** 20)],
    ['20 MiB', randomBytes(20 * 2 ** 20)]
  ] as const) {
    test(`counts ${what}, with a length and in chunks`, async () => {
      const expected = String(body.length)
      const length = `Content-Length: ${body.length}`
      isText(await ask(port, Buffer.concat([Buffer.from(post('/upload', octets, length)), body])), expected)
      // The load generator sends no type.
      isText(await ask(port, Buffer.concat([Buffer.from(post('/upload', length)), body])), expected)

      const chunked = [Buffer.from(post('/upload', octets, 'Transfer-Encoding: chunked'))]
      if (body.length > 0)
        chunked.push(Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n'))
      isText(await ask(port, Buffer.concat([...chunked, Buffer.from('0\r\n\r\n')])), expected)
    })
  }
})

describe('static', () => {
  for (const [name, [length, type]] of Object.entries(staticFiles)) {
    test(`${name} has its type, length and bytes, and is encoded only when asked`, async () => {
      const plain = await ask(port, get(`/static/${name}`))
      equal(plain.status, 200)
      isOfType(plain, type)
      equal(plain.headers.has('content-encoding'), false)
      equal(plain.body.length, length)
      deepEqual(plain.body, mounts.files.get(name))

      const asked = await ask(port, get(`/static/${name}`, 'Accept-Encoding: br;q=1, gzip;q=0.8'))
      equal(asked.headers.get('content-type'), plain.headers.get('content-type'))
      equal(asked.headers.get('content-encoding') ?? '', /woff2|webp/.test(type) ? '' : 'br')
      deepEqual(decoded(asked), plain.body)
    })
  }

  test('a file that is not there is not found, nor is one outside the folder', async () => {
    for (const path of ['/static/nonexistent.txt', '/static/../dataset.json', '/static/%2e%2e/dataset.json'])
      notEqual((await ask(port, get(path))).status, 200, path)
    equal((await ask(port, get('/static/nonexistent.txt'))).status, 404)
  })
})

describe('echo-ws', () => {
  test('the handshake is answered with 101 and the key that belongs to it', async () => {
    const key = randomBytes(16).toString('base64')
    const answer = await ask(
      port,
      get(
        '/ws',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${key}`,
        'Sec-WebSocket-Version: 13'
      )
    )
    equal(answer.status, 101)
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    equal(answer.headers.get('sec-websocket-accept'), accept)
  })

  test('text, bytes and a burst come back as they were, and the close too', async () => {
    const socket = await openSocket()
    const burst = Array.from({ length: 5 }, (_, index) => `msg-${index}-${randomBytes(4).toString('hex')}`)
    const sent = ['hello', randomBytes(256), ...burst]
    const received: (string | Buffer)[] = []
    socket.on('message', (data: Buffer, isBinary) => received.push(isBinary ? data : data.toString()))
    for (const message of sent) socket.send(message)
    while (received.length < sent.length) await once(socket, 'message')
    deepEqual(received, sent)
    socket.close(1000, 'validate done')
    const [code] = (await once(socket, 'close')) as [number]
    equal(code, 1000)
  })

  test('a request that is no handshake is refused, and the server goes on', async () => {
    const { status } = await ask(port, get('/ws', 'Connection: keep-alive'))
    ok(status >= 400 && status < 500, String(status))
    const socket = await openSocket()
    socket.send('health')
    const [data] = (await once(socket, 'message')) as [Buffer]
    equal(data.toString(), 'health')
    socket.close()
    await once(socket, 'close')
  })
})

function tls(): { port: number; host: string; ca: string } {
  return { port: httpsPort, host: '127.0.0.1', ca: mounts.ca }
}

async function openSocket(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false })
  await once(socket, 'open')
  return socket
}

function post(target: string, ...headers: readonly string[]): string {
  return get(target, ...headers).replace('GET', 'POST')
}

/** Two names are one type: RFC 9239 section 6. */
function isOfType({ headers }: Answer, type: string): void {
  const [given] = headers.get('content-type')?.split(';') ?? []
  equal(given?.replace('application/javascript', 'text/javascript'), type)
}

function isText({ status, headers, body }: Answer, expected: string): void {
  equal(status, 200, body.toString())
  match(headers.get('content-type') ?? '', /^text\/plain(;|$)/)
  equal(body.toString(), expected)
}

function isJson({ status, headers }: Answer, body: Buffer, count: number, m: number): void {
  equal(status, 200)
  match(headers.get('content-type') ?? '', /^application\/json(;|$)/)
  const items = mounts.items.slice(0, count)
  deepEqual(JSON.parse(body.toString()), {
    items: items.map((item) => Object.assign({}, item, { total: totalOf(item, m) })),
    count
  })
}

function totalOf({ price, quantity }: Item, m: number): number {
  return price * quantity * m
}

function decoded({ headers, body }: Answer): Buffer {
  switch (headers.get('content-encoding')) {
    case 'br':
      return brotliDecompressSync(body)
    case 'gzip':
      return gunzipSync(body)
    default:
      return body
  }
}
