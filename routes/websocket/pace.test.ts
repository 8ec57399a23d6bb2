import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { GivenSettings } from '../../core/settings.ts'
import { RawClient } from '../../workers/testing/raw-client.ts'
import { clientFrame } from '../../core/websocket/testing/client-frames.ts'
import type { ClientLimits } from './limits.ts'
import { connect, closeOf, handshake, messages, openRaw, startEndpoints } from './testing/endpoint-server.ts'
import type { EndpointServer } from './testing/endpoint-server.ts'

interface Paced extends EndpointServer {
  readonly got: string[]
}

async function start(
  context: TestContext,
  limits: ClientLimits,
  settings: GivenSettings = {}
): Promise<Paced> {
  const got: string[] = []
  const server = await startEndpoints(
    context,
    (fastify, route) =>
      route(fastify, '/', {
        limits,
        onMessage: (socket, data) => {
          got.push(String(data))
          socket.send(data)
        }
      }),
    settings
  )
  return { ...server, got }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

for (const perMessageDeflate of [false, true]) {
  test(`messages beyond the rate wait, all come, in order (compression: ${perMessageDeflate})`, async (context) => {
    const server = await start(context, { messagesPerSecond: 1000, messageBurst: 10 })
    const client = await connect(server, '/', { perMessageDeflate })
    const all = messages(client, 300)
    for (const number of numbers(300)) client.send(number)
    deepEqual(await all, numbers(300))
  })
}

test('a client that sends everything at once is read no further than a piece beyond its burst', async (context) => {
  const server = await start(context, { messagesPerSecond: 1, messageBurst: 5 })
  const client = await openRaw(server, '/')
  client.socket.write(
    Buffer.concat(numbers(5000).map((number) => clientFrame({ opcode: 1, payload: number })))
  )
  await client.receive(/[^]{10}/)
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  ok(server.got.length >= 5)
  ok(server.got.length < 5 + 1024 / 7, `${server.got.length} messages have been read`)
  client.socket.destroy()
})

test('a client that is held back is not taken for silent', async (context) => {
  const server = await start(context, { messagesPerSecond: 20, messageBurst: 1 }, { pingInterval: 0.05 })
  const client = await connect(server, '/')
  const all = messages(client, 12)
  for (const number of numbers(12)) client.send(number)
  deepEqual(await all, numbers(12))
})

test('a client that is held back is closed as any other', async (context) => {
  const server = await start(context, { messagesPerSecond: 1, messageBurst: 1 })
  const client = await connect(server, '/')
  const first = messages(client, 1)
  for (const number of numbers(200)) client.send(number)
  await first
  const closed = closeOf(client)
  await server.endpoints.closeAll()
  deepEqual(await closed, { code: 1001, reason: 'The server is going away' })
})

test('what a client sends right behind its handshake counts as well', async (context) => {
  const server = await start(context, { messagesPerSecond: 1, messageBurst: 1 })
  const raw = await RawClient.open(server.port)
  const frames = numbers(1000).map((number) => clientFrame({ opcode: 1, payload: number }))
  raw.socket.write(Buffer.concat([Buffer.from(handshake('/'), 'latin1'), ...frames]))
  await raw.receive(/\r\n\r\n[^]{3}/)
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  ok(server.got.length < 1 + 1024 / 7, `${server.got.length} messages have been read`)
  raw.socket.destroy()
})

test('without limits a client is read as fast as it sends', async (context) => {
  const server = await start(context, {})
  const client = await connect(server, '/')
  const all = messages(client, 5000)
  for (const number of numbers(5000)) client.send(number)
  equal((await all).length, 5000)
})

test('limits that make no sense stop the start', async (context) => {
  await rejects(start(context, { messagesPerSecond: -1 }), {
    code: 'SCZ_ERR_WS_OPTION',
    message:
      'Invalid option "limits" of the WebSocket route /: use { messagesPerSecond, messageBurst, subscriptionsPerSecond, subscriptionBurst, maxChannels, maxChannelNameBytes }, whole numbers'
  })
})
