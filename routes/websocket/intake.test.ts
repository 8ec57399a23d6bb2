import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, constants } from 'node:zlib'
import { clientFrame, clientFrames } from '../../core/websocket/testing/client-frames.ts'
import { countWrites, latin1, openEcho, startEcho } from './testing/echo.ts'
import { framesOf, openRaw } from './testing/endpoint-server.ts'

const MIB = 1_048_576

test('a stream of single bytes is the same as one in one piece', async (context) => {
  const server = await startEcho(context)
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
  const server = await startEcho(context)
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

test('a client that does not read its answers is not read from either, and goes on when it reads', async (context) => {
  let heard = 0
  const server = await startEcho(context, {
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
  const server = await startEcho(context, { compressionThreshold: 2 ** 30 })
  const client = await openEcho(server, 'Sec-WebSocket-Extensions: permessage-deflate')
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
