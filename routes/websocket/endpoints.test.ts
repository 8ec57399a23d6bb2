import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import websocketPlugin from '@fastify/websocket'
import { WebSocket } from 'ws'
import { createCertificate } from '../../workers/testing/certificate.ts'
import { RawClient } from '../../workers/testing/raw-client.ts'
import { clientFrame } from '../../core/websocket/testing/client-frames.ts'
import { echo, startEcho } from './testing/echo.ts'
import {
  closeOf,
  closedOnServer,
  connect,
  framesOf,
  handshake,
  messages,
  request,
  startEndpoints
} from './testing/endpoint-server.ts'
import type { EndpointServer } from './testing/endpoint-server.ts'
import type { HubRouteOptions } from './options.ts'

/** Sends a request and gives the whole answer; the server closes the connection. */
async function answerTo(server: EndpointServer, bytes: string): Promise<string> {
  const client = await RawClient.open(server.port)
  client.send(bytes)
  return client.closed
}

test('a WebSocket route is an ordinary route: with its prefix, its hooks and its parameters', async (context) => {
  const seen: unknown[] = []
  const server = await startEndpoints(context, (fastify, route) => {
    void fastify.register(
      async (plugin) => {
        plugin.addHook('onRequest', async (request) => {
          seen.push(`onRequest ${request.url}`)
        })
        plugin.addHook('preHandler', async () => {
          seen.push('preHandler')
        })
        route(plugin, '/rooms/:id', {
          onOpen: (socket, request) => {
            seen.push({ ...(request.params as object) })
            socket.send('welcome')
          }
        })
      },
      { prefix: '/v1' }
    )
  })
  assert.ok(server.fastify.hasRoute({ method: 'GET', url: '/v1/rooms/:id' }))
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/v1/rooms/7`)
  assert.deepEqual(await messages(client, 1), ['welcome'])
  assert.deepEqual(seen, ['onRequest /v1/rooms/7', 'preHandler', { id: '7' }])
  client.terminate()
})

for (const name of ['onRequest', 'preValidation', 'preHandler'] as const) {
  test(`a request that an ${name} hook refuses gets its answer and no WebSocket`, async (context) => {
    const server = await startEndpoints(context, (fastify, route) => {
      fastify.addHook(name, async (request, reply) => {
        if (request.headers.authorization === undefined) return reply.code(401).send({ error: 'who are you' })
        return undefined
      })
      route(fastify, '/echo', echo)
    })
    const answer = await answerTo(server, handshake('/echo'))
    assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/)
    assert.match(answer, /\r\nconnection: close\r\n/i)
    assert.match(answer, /\{"error":"who are you"\}$/)
    const client = await connect(server, '/echo', { headers: { authorization: 'key' } })
    client.terminate()
    assert.equal(server.hub.members.length, 1)
  })
}

test('the 101 waits for asynchronous hooks, and frames sent meanwhile are not lost', async (context) => {
  const { promise, resolve: letThrough } = Promise.withResolvers<void>()
  const server = await startEndpoints(context, (fastify, route) => {
    fastify.addHook('onRequest', () => promise)
    route(fastify, '/echo', echo)
  })
  const client = await RawClient.open(server.port)
  client.send(handshake('/echo') + clientFrame({ opcode: 1, payload: 'one' }).toString('latin1'))
  client.send(clientFrame({ opcode: 1, payload: 'two' }).toString('latin1'))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(client.received, '')
  letThrough()
  await client.receive(/two/)
  assert.equal(framesOf(client.received).toString('latin1'), '\x81\x03one\x81\x03two')
  client.close()
})

test('an ordinary GET of a WebSocket route gets 426 with the protocol to upgrade to', async (context) => {
  const server = await startEcho(context)
  const response = await fetch(`http://127.0.0.1:${server.port}/echo`)
  assert.equal(response.status, 426)
  assert.equal(response.headers.get('upgrade'), 'websocket')
  assert.deepEqual(await response.json(), {
    statusCode: 426,
    code: 'SCZ_ERR_WS_ONLY',
    error: 'Upgrade Required',
    message: 'This path speaks WebSocket only'
  })
})

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const VERSION = 'Sec-WebSocket-Version: 13'
const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade']
const GET = ['GET /echo HTTP/1.1', 'Host: localhost']

const REFUSED: readonly [string, string, number, string][] = [
  [
    'over HTTP/1.0',
    request('GET /echo HTTP/1.0', 'Host: localhost', ...UPGRADE, KEY, VERSION),
    400,
    'SCZ_ERR_WS_REQUEST'
  ],
  ['without a Host', request('GET /echo HTTP/1.1', ...UPGRADE, KEY, VERSION), 400, ''],
  ['with two Hosts', request(...GET, 'Host: localhost', ...UPGRADE, KEY, VERSION), 400, 'SCZ_ERR_HOST'],
  ['without Upgrade', request(...GET, 'Connection: Upgrade, close', KEY, VERSION), 400, 'SCZ_ERR_WS_UPGRADE'],
  [
    'with another Upgrade',
    request(...GET, 'Upgrade: h2c', 'Connection: Upgrade, close', KEY, VERSION),
    400,
    'SCZ_ERR_WS_UPGRADE'
  ],
  [
    'without Connection: Upgrade',
    request(...GET, 'Upgrade: websocket', 'Connection: close', KEY, VERSION),
    400,
    'SCZ_ERR_WS_UPGRADE'
  ],
  ['without a key', request(...GET, ...UPGRADE, VERSION), 400, 'SCZ_ERR_WS_KEY'],
  [
    'with a key of 15 bytes',
    request(...GET, ...UPGRADE, 'Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1', VERSION),
    400,
    'SCZ_ERR_WS_KEY'
  ],
  [
    'of another version',
    request(...GET, ...UPGRADE, KEY, 'Sec-WebSocket-Version: 8'),
    426,
    'SCZ_ERR_WS_VERSION'
  ],
  [
    'with a malformed list of subprotocols',
    handshake('/echo', 'Sec-WebSocket-Protocol: a, a'),
    400,
    'SCZ_ERR_WS_PROTOCOL'
  ],
  [
    'with malformed extensions',
    handshake('/echo', 'Sec-WebSocket-Extensions: a;;b'),
    400,
    'SCZ_ERR_WS_EXTENSIONS'
  ],
  ['of another origin', handshake('/echo', 'Origin: https://evil.example'), 403, 'SCZ_ERR_WS_ORIGIN'],
  ['with a body', `${handshake('/echo', 'Content-Length: 5')}hello`, 400, 'SCZ_ERR_WS_BODY'],
  [
    'with a chunked body',
    `${handshake('/echo', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    400,
    'SCZ_ERR_WS_BODY'
  ],
  [
    'with a body that is too large',
    handshake('/echo', 'Content-Length: 9999999'),
    413,
    'SCZ_ERR_WS_BODY_SIZE'
  ],
  ['with a head that is too large', handshake('/echo', `X-Large: ${'x'.repeat(20_000)}`), 431, ''],
  ['of another path', handshake('/other'), 404, ''],
  ['by POST', handshake('/echo').replace('GET', 'POST'), 404, '']
]

for (const [name, bytes, status, code] of REFUSED) {
  test(`a handshake ${name} gets ${status} ${code}`, async (context) => {
    const server = await startEcho(context, { origins: ['https://example.com'] })
    const answer = await answerTo(server, bytes)
    assert.equal(answer.slice(0, 13), `HTTP/1.1 ${status} `)
    // Node's own answer to a head that it can't read does not say so, and closes as well.
    if (status !== 431) assert.match(answer, /\r\nconnection: close/i)
    if (code !== '') assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).code, code)
    if (code === 'SCZ_ERR_WS_VERSION') assert.match(answer, /\r\nsec-websocket-version: 13\r\n/i)
    assert.equal(server.hub.members.length, 0)
  })
}

test('a handshake above the limit gets 503 with a Retry-After, until another socket has closed', async (context) => {
  const server = await startEndpoints(context, (fastify, route) => route(fastify, '/echo', echo), {
    maxSockets: 1
  })
  const first = await connect(server, '/echo')
  const answer = await answerTo(server, handshake('/echo'))
  assert.match(answer, /^HTTP\/1\.1 503 /)
  assert.match(answer, /\r\nretry-after: 5\r\n/i)
  first.close()
  await closedOnServer(server)
  assert.equal(server.endpoints.size, 0)
  const second = await connect(server, '/echo')
  second.terminate()
})

test('an allowed origin connects, and the subprotocol is the first of ours that the client offers', async (context) => {
  const server = await startEcho(context, { origins: ['https://example.com'], protocols: ['v2', 'v1'] })
  const client = await connect(server, '/echo', { origin: 'https://example.com' }, ['v1', 'v2', 'v3'])
  assert.equal(client.protocol, 'v2')
  client.terminate()
})

test('pipelined requests before a handshake get their answers before it', async (context) => {
  const server = await startEndpoints(context, (fastify, route) => {
    fastify.get('/slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return 'slow'
    })
    route(fastify, '/echo', echo)
  })
  const client = await RawClient.open(server.port)
  client.send(request('GET /slow HTTP/1.1', 'Host: localhost') + handshake('/echo'))
  const received = await client.receive(/101[^]*\r\n\r\n/)
  assert.match(received, /^HTTP\/1\.1 200 OK[^]*slowHTTP\/1\.1 101 /)
  client.close()
})

test('routes of @fastify/websocket work beside ours, whichever is registered first', async (context) => {
  const hooks: string[] = []
  const server = await startEndpoints(context, async (fastify, route) => {
    route(fastify, '/before', echo)
    await fastify.register(websocketPlugin)
    fastify.addHook('onRequest', async (request) => void hooks.push(request.url))
    void fastify.register(async (plugin) => {
      plugin.get('/foreign', { websocket: true }, (socket) => {
        socket.on('message', (data: Buffer) => socket.send(`foreign ${data}`))
      })
      plugin.get('/plain', async () => 'plain')
      route(plugin, '/after', echo)
    })
  })
  for (const [path, expected] of [
    ['/before', 'hello'],
    ['/foreign', 'foreign hello'],
    ['/after', 'hello']
  ] as const) {
    const client = await connect(server, path)
    const received = messages(client, 1)
    client.send('hello')
    assert.deepEqual(await received, [expected])
    client.terminate()
  }
  assert.deepEqual(hooks, ['/before', '/foreign', '/after'], 'each ran once')
  assert.equal(await (await fetch(`http://127.0.0.1:${server.port}/plain`)).text(), 'plain')
})

test('a drain closes every socket with 1001 and refuses new ones', async (context) => {
  const codes: number[] = []
  const server = await startEcho(context, { onClose: (_socket, code) => codes.push(code) })
  const clients = await Promise.all(Array.from({ length: 300 }, () => connect(server, '/echo')))
  const closes = Promise.all(clients.map((client) => closeOf(client)))
  const late = await RawClient.open(server.port)
  void server.endpoints.closeAll()
  late.send(handshake('/echo'))
  assert.match(await late.closed, /^HTTP\/1\.1 503 /)
  const closed = server.fastify.close()
  for (const { code, reason } of await closes) {
    assert.deepEqual([code, reason], [1001, 'The server is going away'])
  }
  await closed
  for (const index of clients.keys()) await closedOnServer(server, index)
  assert.deepEqual(new Set(codes), new Set([1001]))
  assert.equal(server.endpoints.size, 0)
})

test('a WebSocket over TLS is the same', async (context) => {
  const { cert, key } = createCertificate()
  const server = await startEndpoints(
    context,
    (fastify, route) => route(fastify, '/echo', echo),
    {},
    {
      cert,
      key,
      ticketKeys: Buffer.alloc(48),
      http2: true
    }
  )
  const client = new WebSocket(`wss://127.0.0.1:${server.port}/echo`, { rejectUnauthorized: false })
  await once(client, 'open')
  const sent = ['hello', Buffer.alloc(1_000_000, 7)]
  const received = messages(client, 2)
  for (const message of sent) client.send(message)
  assert.deepEqual(await received, sent)
  const close = closeOf(client)
  client.close(1000)
  assert.equal((await close).code, 1000)
})

// Older versions of Node report all upgrades as soon as anybody listens for them.
const skip = 'shouldUpgradeCallback' in createServer() ? false : 'this Node can not choose what to upgrade'

test(
  'requests for another upgrade are answered as if they had not asked, with their bodies',
  { skip },
  async (context) => {
    const server = await startEndpoints(context, (fastify, route) => {
      route(fastify, '/echo', echo)
      fastify.post('/sum', async (request) => ({ got: request.body }))
    })
    const client = await RawClient.open(server.port)
    const post = request(
      'POST /sum HTTP/1.1',
      'Host: localhost',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'Content-Type: text/plain',
      'Content-Length: 3'
    )
    client.send(`${post}abc`)
    await client.receive(/"abc"/)
    client.send(`${post}def`)
    assert.match(await client.receive(/"def"/), /200 OK[^]*"abc"[^]*200 OK[^]*"def"/)
    client.close()
  }
)

test('a WebSocket asked of a route that is none gets the answer of that route', async (context) => {
  const server = await startEndpoints(context, (fastify, route) => {
    route(fastify, '/echo', echo)
    fastify.get('/plain', async () => 'plain')
  })
  assert.match(await answerTo(server, handshake('/plain')), /^HTTP\/1\.1 200 OK[^]*plain$/)
})

test('closing the app closes its sockets', async (context) => {
  const server = await startEcho(context)
  const close = closeOf(await connect(server, '/echo'))
  await server.fastify.close()
  assert.equal((await close).code, 1001)
})

test('a wrong option stops the start with a message that names it', async (context) => {
  await startEndpoints(context, (fastify, route) => {
    for (const [options, message] of [
      [
        { maxMessageBytes: 0 },
        'Invalid option "maxMessageBytes" of the WebSocket route /a: use a whole number of bytes from 1 to 1073741824'
      ],
      [
        { onMesage: () => {} },
        'Invalid option "onMesage" of the WebSocket route /a: no option has this name'
      ],
      [
        { slow: { policy: 'drop' } },
        'Invalid option "slow" of the WebSocket route /a: use { policy: "close", "skip" or "latest", maxBytes, maxAge in milliseconds }'
      ]
    ] as const) {
      assert.throws(() => route(fastify, '/a', options as HubRouteOptions), {
        code: 'SCZ_ERR_WS_OPTION',
        message
      })
    }
  })
})
