import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { clientFrame, clientFrames } from '../../core/websocket/testing/client-frames.ts'
import { countWrites, latin1, openEcho, startEcho } from './testing/echo.ts'
import {
  closeOf,
  closedOnServer,
  connect,
  framesOf,
  messages,
  openRaw,
  startEndpoints
} from './testing/endpoint-server.ts'
import type { HubRouteOptions } from './options.ts'

const MIB = 1_048_576

for (const perMessageDeflate of [false, true]) {
  test(`text, binary and 16 MiB come back as they were sent ${perMessageDeflate ? 'with' : 'without'} compression`, async (context) => {
    const server = await startEcho(context, { maxMessageBytes: 16 * MIB })
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
  const server = await startEcho(context, { compressionThreshold: 100 })
  const client = await openEcho(server, 'Sec-WebSocket-Extensions: permessage-deflate')
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
  const server = await startEcho(context, { compress: false })
  const client = await connect(server, '/echo', { perMessageDeflate: true })
  assert.equal(client.extensions, '')
  client.terminate()
})

test('what an app keeps of a binary message is not changed by later ones', async (context) => {
  const kept: Buffer[] = []
  const server = await startEcho(context, { onMessage: (_socket, data) => kept.push(data as Buffer) })
  const client = await openRaw(server, '/echo')
  const payloads = Array.from({ length: 50 }, () => randomBytes(200))
  client.send(latin1(clientFrames(...payloads.map((payload) => ({ opcode: 2, payload })))))
  client.socket.end()
  await closedOnServer(server)
  assert.deepEqual(kept, payloads)
})

test('on a route without handlers nothing of the request stays that opened a connection', async (context) => {
  const requests: WeakRef<object>[] = []
  const server = await startEndpoints(context, (fastify, route) => {
    fastify.addHook('onRequest', async ({ raw }) => void requests.push(new WeakRef(raw)))
    route(fastify, '/live', { channels: ['ticks'] })
  })
  for (let count = 0; count < 10; count++) await openRaw(server, '/live')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What is in use is not collected, and a reference that was made or read keeps its object until the turn is over.
  await nextTurn()
  collect()
  const kept = requests.filter((request) => request.deref() !== undefined)
  assert.equal(requests.length, 10)
  assert.ok(kept.length <= 2, `${kept.length} are there`)
})

test('frames that came right behind the handshake are answered, in one write with the 101', async (context) => {
  const server = await startEcho(context)
  const client = await openEcho(server, '', clientFrame({ opcode: 1, payload: 'early' }))
  await client.receive(/early/)
  assert.equal(latin1(framesOf(client.received)), '\x81\x05early')
  client.close()
})

test('the answers to 500 messages of one read leave in one write', async (context) => {
  const server = await startEcho(context)
  const client = await openRaw(server, '/echo')
  const writes = countWrites(server)
  client.send(latin1(clientFrame({ opcode: 1, payload: 'message' })).repeat(500))
  await client.receive(/(?:..message){500}/s)
  assert.equal(framesOf(client.received).length, 500 * 9)
  assert.equal(writes.count, 1)
  client.close()
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
  member.connection.close(1013, 'You are too slow')
  assert.deepEqual(await close, { code: 1013, reason: 'You are too slow' })
  assert.ok(member.hasLeft)
})
