import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { composeMessage } from '../broadcast/message.ts'
import type { Sequence } from './sequence.ts'
import { Subscriber } from './subscriber.ts'

async function subscribe(
  serve: (socket: WebSocket) => void
): Promise<{ subscriber: Subscriber; end: () => void }> {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', serve)
  await new Promise<void>((resolve) => void server.listen({ port: 0, host: '127.0.0.1' }, resolve))
  const { port } = server.address() as AddressInfo
  const subscriber = new Subscriber({ port, protocol: 'websocket', observer: null }, 0, '/')
  await subscriber.ready
  return {
    subscriber,
    end: () => {
      for (const client of sockets.clients) client.terminate()
      server.close()
    }
  }
}

async function until(reached: () => boolean): Promise<void> {
  for (let waited = 0; !reached() && waited < 5000; waited += 5) await sleep(5)
}

function counts({ expected, delivered, missing, late }: Sequence): Record<string, number> {
  return { expected, delivered, missing, late }
}

test('counts messages that come with the handshake and ones that are cut between reads', async () => {
  const messages = 20_000
  const { subscriber, end } = await subscribe((socket) => {
    for (let sequence = 0; sequence < messages; sequence++) socket.send(composeMessage('c', sequence))
  })
  await until(() => subscriber.sequence.delivered === messages)
  assert.deepEqual(counts(subscriber.sequence), {
    expected: messages,
    delivered: messages,
    missing: 0,
    late: 0
  })
  end()
})

test('sees a hole and a duplicate', async () => {
  const { subscriber, end } = await subscribe((socket) => {
    for (const sequence of [0, 1, 4, 4]) socket.send(composeMessage('c', sequence))
  })
  await until(() => subscriber.sequence.delivered === 4)
  assert.deepEqual(counts(subscriber.sequence), { expected: 5, delivered: 4, missing: 2, late: 1 })
  end()
})

test('answers pings and tells why it was closed', async () => {
  const { subscriber, end } = await subscribe((socket) => {
    socket.once('pong', () => socket.close(1008, 'too slow'))
    socket.ping()
  })
  await until(() => subscriber.ended !== null)
  assert.equal(subscriber.ended, 'closed by the server: 1008 too slow')
  end()
})
