import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { deflateRawSync, constants } from 'node:zlib'
import { clientFrame, clientFrames } from '../../core/websocket/testing/client-frames.ts'
import type { GivenSettings } from '../../core/settings.ts'
import {
  closeOf,
  closedOnServer,
  connect,
  framesOf,
  handshake,
  messages,
  openRaw,
  startEndpoints
} from './testing/endpoint-server.ts'
import type { EndpointServer } from './testing/endpoint-server.ts'
import type { HubRouteOptions } from './options.ts'

const MIB = 1_048_576

function start(
  context: TestContext,
  options: HubRouteOptions = {},
  settings: GivenSettings = {}
): Promise<EndpointServer> {
  const echo: HubRouteOptions = { onMessage: (socket, data, isBinary) => socket.send(data, isBinary) }
  return startEndpoints(
    context,
    (fastify, route) => route(fastify, '/echo', { ...echo, ...options }),
    settings
  )
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1')
}

/** Writes to the socket that a server has for a client. */
function countWrites(server: EndpointServer, index = 0): { count: number } {
  const socket = server.sockets[index]!
  const { write } = socket
  const writes = { count: 0 }
  socket.write = function (this: typeof socket, ...values: unknown[]) {
    writes.count++
    return write.apply(this, values as Parameters<typeof write>)
  } as typeof socket.write
  return writes
}

for (const perMessageDeflate of [false, true]) {
  test(`text, binary and 16 MiB come back as they were sent ${perMessageDeflate ? 'with' : 'without'} compression`, async (context) => {
    const server = await start(context, { maxMessageBytes: 16 * MIB })
    const client = await connect(server, '/echo', { perMessageDeflate, maxPayload: 16 * MIB })
    const sent = [
      '',
      'a',
      'κόσμε 𝄟',
      'x'.repeat(70_000),
      Buffer.alloc(0),
      randomBytes(1000),
      randomBytes(16 * MIB)
    ]
    const received = messages(client, sent.length)
    for (const message of sent) client.send(message)
    assert.deepEqual(await received, sent)
    const close = closeOf(client)
    client.close(4000, 'done')
    assert.deepEqual(await close, { code: 4000, reason: '' })
  })
}

test('messages from the threshold on are compressed, and shorter ones are not', async (context) => {
  const server = await start(context, { compressionThreshold: 100 })
  const client = await openRawWith(server, 'Sec-WebSocket-Extensions: permessage-deflate')
  client.send(
    latin1(clientFrames({ opcode: 1, payload: 'x'.repeat(99) }, { opcode: 1, payload: 'x'.repeat(100) }))
  )
  await client.receive(/x{99}\xc1/)
  const frames = framesOf(client.received)
  assert.equal(frames[0], 0x81)
  assert.equal(frames[101], 0xc1)
  assert.ok(frames.length < 130)
  client.close()
})

test('nothing is compressed on a route that does not want it', async (context) => {
  const server = await start(context, { compress: false })
  const client = await connect(server, '/echo', { perMessageDeflate: true })
  assert.equal(client.extensions, '')
  client.terminate()
})

test('what an app keeps of a binary message is not changed by later ones', async (context) => {
  const kept: Buffer[] = []
  const server = await start(context, { onMessage: (_socket, data) => kept.push(data as Buffer) })
  const client = await openRaw(server, '/echo')
  const payloads = Array.from({ length: 50 }, () => randomBytes(200))
  client.send(latin1(clientFrames(...payloads.map((payload) => ({ opcode: 2, payload })))))
  client.socket.end()
  await closedOnServer(server)
  assert.deepEqual(kept, payloads)
})

test('frames that came right behind the handshake are answered, in one write with the 101', async (context) => {
  const server = await start(context)
  const client = await openRawWith(server, '', clientFrame({ opcode: 1, payload: 'early' }))
  await client.receive(/early/)
  assert.equal(latin1(framesOf(client.received)), '\x81\x05early')
  client.close()
})

test('the answers to 500 messages of one read leave in one write', async (context) => {
  const server = await start(context)
  const client = await openRaw(server, '/echo')
  const writes = countWrites(server)
  client.send(latin1(clientFrame({ opcode: 1, payload: 'message' })).repeat(500))
  await client.receive(/(?:..message){500}/s)
  assert.equal(framesOf(client.received).length, 500 * 9)
  assert.equal(writes.count, 1)
  client.close()
})

test('a stream of single bytes is the same as one in one piece', async (context) => {
  const server = await start(context)
  const client = await openRaw(server, '/echo')
  const bytes = clientFrames(
    { opcode: 1, payload: 'κόσ', isFinal: false },
    { opcode: 9, payload: 'p' },
    { opcode: 0, payload: 'με' },
    { opcode: 8, payload: Buffer.from([0x03, 0xe8]) }
  )
  for (const byte of bytes) {
    client.send(String.fromCharCode(byte))
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(
    framesOf(await client.closed).toString('hex'),
    `8a0170810a${Buffer.from('κόσμε').toString('hex')}880203e8`
  )
})

test('a ping is answered with its payload; of a flood, the last one is', async (context) => {
  const server = await start(context)
  const client = await openRaw(server, '/echo')
  const writes = countWrites(server)
  client.send(
    latin1(clientFrames(...Array.from({ length: 3000 }, (_, index) => ({ opcode: 9, payload: `${index}` }))))
  )
  await client.receive(/2999/)
  const pongs = latin1(framesOf(client.received))
  assert.ok(pongs.startsWith('\x8a\x010\x8a\x011\x8a\x012'))
  assert.ok(pongs.endsWith('\x8a\x042999'))
  assert.ok(pongs.split('\x8a').length < 1000, 'few are answered')
  assert.ok(writes.count < 10)
  client.close()
})

const LIMITS: readonly [string, Buffer, number][] = [
  ['a frame that announces 2^40 bytes', clientFrame({ opcode: 2, announced: 2n ** 40n }), 1009],
  [
    '100,000 fragments',
    Buffer.concat(
      Array.from({ length: 100_000 }, (_, index) =>
        clientFrame({ opcode: index === 0 ? 1 : 0, payload: 'x', isFinal: false })
      )
    ),
    1008
  ],
  [
    'a decompression bomb',
    clientFrame({
      opcode: 2,
      reserved: 4,
      payload: deflateRawSync(Buffer.alloc(64 * MIB), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
    }),
    1009
  ],
  ['text that is not UTF-8', clientFrame({ opcode: 1, payload: Buffer.from([0xff]) }), 1007],
  ['a frame without a mask', clientFrame({ opcode: 1, payload: 'x', isMasked: false }), 1002]
]

for (const [name, bytes, code] of LIMITS) {
  test(`${name} ends the connection with ${code}, told to the app`, async (context) => {
    const codes: number[] = []
    const server = await start(context, { onClose: (_socket, code) => codes.push(code) })
    const client = await openRawWith(server, 'Sec-WebSocket-Extensions: permessage-deflate')
    client.send(latin1(bytes))
    const frames = framesOf(await client.closed)
    assert.equal(frames[0], 0x88)
    assert.equal(frames.readUInt16BE(2), code)
    await closedOnServer(server)
    assert.deepEqual(codes, [code])
    assert.ok(server.hub.members[0]!.hasLeft)
    assert.equal(server.endpoints.size, 0)
  })
}

test('a close of the app waits for the answer of the client, whose messages it does not hear any more', async (context) => {
  const heard: string[] = []
  const closes: unknown[] = []
  const server = await start(context, {
    onOpen: (socket) => socket.close(4001, 'enough'),
    onMessage: (_socket, data) => heard.push(String(data)),
    onClose: (_socket, code, reason) => closes.push([code, reason])
  })
  const client = await openRaw(server, '/echo')
  await client.receive(/enough/)
  assert.deepEqual(closes, [])
  client.send(
    latin1(clientFrames({ opcode: 1, payload: 'more' }, { opcode: 8, payload: Buffer.from([0x0f, 0xa1]) }))
  )
  await client.closed
  assert.deepEqual(heard, [])
  assert.deepEqual(closes, [[4001, '']])
})

test('a client that does not answer a close frame is cut', async (context) => {
  const closes: unknown[] = []
  const server = await start(
    context,
    { onOpen: (socket) => socket.close(), onClose: (_socket, code) => closes.push(code) },
    { closeTimeout: 0.05 }
  )
  const client = await openRaw(server, '/echo')
  assert.equal(framesOf(await client.closed).toString('hex'), '880203e8')
  await closedOnServer(server)
  assert.deepEqual(closes, [1006])
})

test('a client that closes and does not end its connection is cut', async (context) => {
  const server = await start(context, {}, { closeTimeout: 0.05 })
  const socket = connectTcp({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {}).resume()
  socket.write(handshake('/echo'))
  await once(socket, 'data')
  socket.write(clientFrame({ opcode: 8 }))
  await closedOnServer(server)
  assert.equal(server.endpoints.size, 0)
  socket.destroy()
})

test('a client that ends its side without a close frame, or vanishes, was lost: 1006', async (context) => {
  const closes: unknown[] = []
  const server = await start(context, { onClose: (_socket, code) => closes.push(code) })
  const ending = await openRaw(server, '/echo')
  ending.socket.end()
  await ending.closed
  const vanishing = await openRaw(server, '/echo')
  vanishing.socket.resetAndDestroy()
  await closedOnServer(server, 1)
  assert.deepEqual(closes, [1006, 1006])
  assert.ok(server.hub.members.every(({ hasLeft }) => hasLeft))
})

test('a client that answers pings stays, and a silent one is cut', async (context) => {
  const server = await start(context, {}, { pingInterval: 0.05 })
  const lively = await connect(server, '/echo')
  const silent = await openRaw(server, '/echo')
  let pings = 0
  lively.on('ping', () => pings++)
  const received = await silent.closed
  assert.match(framesOf(received).toString('hex'), /^(?:8900)+$/)
  while (pings < 5) await once(lively, 'ping')
  const echoed = messages(lively, 1)
  lively.send('still here')
  assert.deepEqual(await echoed, ['still here'])
  lively.terminate()
})

const failingHandlers: readonly [string, HubRouteOptions][] = [
  [
    'onMessage throws',
    {
      onMessage: () => {
        throw new Error('no')
      }
    }
  ],
  [
    'onMessage rejects',
    {
      onMessage: async () => {
        throw new Error('no')
      }
    }
  ],
  [
    'onOpen throws',
    {
      onOpen: () => {
        throw new Error('no')
      }
    }
  ],
  [
    'onOpen rejects',
    {
      onOpen: async () => {
        throw new Error('no')
      }
    }
  ]
]

for (const [name, options] of failingHandlers) {
  test(`when ${name}, it is logged and its socket closed with 1011; others go on`, async (context) => {
    const server = await startEndpoints(context, (fastify, route) => {
      route(fastify, '/failing', options)
      route(fastify, '/echo', { onMessage: (socket, data) => socket.send(data) })
    })
    const other = await connect(server, '/echo')
    const failing = await connect(server, '/failing')
    const close = closeOf(failing)
    failing.send('x')
    assert.deepEqual(await close, { code: 1011, reason: 'The server failed' })
    assert.deepEqual(server.logged, [`The ${name.split(' ')[0]} handler of a WebSocket failed`])
    const echoed = messages(other, 1)
    other.send('hello')
    assert.deepEqual(await echoed, ['hello'])
    other.terminate()
  })
}

test('an app subscribes sockets on connect and later, and learns its request and subprotocol', async (context) => {
  const seen: unknown[] = []
  const server = await startEndpoints(context, (fastify, route) => {
    route(fastify, '/live/:room', {
      channels: (request) => ['ticks', (request.params as { room: string }).room],
      protocols: (offered) => offered.at(-1) ?? null,
      slow: { policy: 'skip' },
      onMessage: (socket, data) => {
        seen.push(socket.request.url, socket.protocol, socket.bufferedAmount)
        socket.unsubscribe('ticks')
        socket.subscribe(String(data))
        socket.send('done')
      }
    })
  })
  const client = await connect(server, '/live/blue', {}, ['a', 'b'])
  const member = server.hub.members[0]!
  assert.deepEqual([...member.channels], ['ticks', 'blue'])
  assert.deepEqual(member.policy, { policy: 'skip', maxBytes: MIB, maxAge: 30_000 })
  const done = messages(client, 1)
  client.send('chat')
  await done
  assert.deepEqual([...member.channels], ['blue', 'chat'])
  assert.deepEqual(seen, ['/live/blue', 'b', 0])
  const close = closeOf(client)
  member.close(1013, 'You are too slow')
  assert.deepEqual(await close, { code: 1013, reason: 'You are too slow' })
  assert.ok(member.hasLeft)
})

test('a client that does not read its answers is not read from either, and goes on when it reads', async (context) => {
  let heard = 0
  const server = await start(context, {
    maxMessageBytes: MIB,
    onMessage: (socket, data) => {
      heard++
      socket.send(data)
    }
  })
  const client = await openRaw(server, '/echo')
  client.socket.pause()
  const message = clientFrame({ opcode: 2, payload: Buffer.alloc(256 * 1024) })
  const count = 200
  for (let index = 0; index < count; index++) client.socket.write(message)
  const socket = server.sockets[0]!
  while (!socket.isPaused()) await new Promise((resolve) => setTimeout(resolve, 5))
  const { outbox } = server.hub.members[0]!
  assert.ok(outbox.isStalled)
  assert.ok(outbox.bufferedBytes < 3 * MIB)
  assert.ok(heard < count)
  client.socket.resume()
  let received = client.received.length
  while (heard < count || outbox.bufferedBytes > 0) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    received = client.received.length
  }
  assert.ok(received > 0)
  assert.ok(!outbox.isStalled)
  client.close()
})

test('of many messages that inflate to much, no more are read than a client takes answers to', async (context) => {
  const server = await start(context, { compressionThreshold: 2 ** 30 })
  const client = await openRawWith(server, 'Sec-WebSocket-Extensions: permessage-deflate')
  client.socket.pause()
  const payload = deflateRawSync(Buffer.alloc(MIB), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  const count = 50
  client.send(latin1(clientFrame({ opcode: 2, reserved: 4, payload })).repeat(count))
  const socket = server.sockets[0]!
  while (!socket.isPaused()) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(server.hub.members[0]!.outbox.bufferedBytes < 8 * MIB)
  client.socket.resume()
  const whole = count * (MIB + 10)
  while (client.received.length < whole) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(framesOf(client.received).length, whole)
  client.close()
})

async function openRawWith(
  server: EndpointServer,
  header: string,
  behind: Buffer = Buffer.alloc(0)
): ReturnType<typeof openRaw> {
  const { RawClient } = await import('../../workers/testing/raw-client.ts')
  const client = await RawClient.open(server.port)
  client.send(handshake('/echo', ...(header === '' ? [] : [header])) + latin1(behind))
  await client.receive(/\r\n\r\n/)
  return client
}
