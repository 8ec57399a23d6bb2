import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { deflateRawSync, constants } from 'node:zlib'
import { clientFrame, clientFrames } from '../../core/websocket/testing/client-frames.ts'
import { latin1, openEcho, startEcho } from './testing/echo.ts'
import { closedOnServer, connect, framesOf, handshake, messages, openRaw } from './testing/endpoint-server.ts'

const MIB = 1_048_576

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
    const server = await startEcho(context, { onClose: (_socket, code) => codes.push(code) })
    const client = await openEcho(server, 'Sec-WebSocket-Extensions: permessage-deflate')
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
  const server = await startEcho(context, {
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
  const server = await startEcho(
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
  const server = await startEcho(context, {}, { closeTimeout: 0.05 })
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
  const server = await startEcho(context, { onClose: (_socket, code) => closes.push(code) })
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
  const server = await startEcho(context, {}, { pingInterval: 0.05 })
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
