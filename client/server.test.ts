import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hmacToken, inSeconds } from '../routes/websocket/testing/tokens.ts'
import { serve } from '../workers/serve.ts'
import type { ServeOptions } from '../workers/serve-options.ts'
import type { ScherzoServer } from '../workers/server.ts'
import { connect } from './index.ts'
import type { AnyChannels, ChannelMessage, Client, ClientOptions } from './index.ts'
import { Told } from './testing/events.ts'

// The client against the real server, with the WebSocket that Node has.

const app = fileURLToPath(new URL('testing/client-app.ts', import.meta.url))

/** A failed attempt need not be waited for in a test. */
const soon = { backoff: { initial: 20, max: 100 } }

const shared = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 1 })
after(() => shared.close())

/** A server that the test may stop. */
async function start(t: TestContext, options: ServeOptions = {}): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 1, ...options })
  t.after(() => server.close())
  return server
}

function clientOf(
  t: TestContext,
  { address }: { readonly address: string },
  path = '/live',
  options: ClientOptions = {}
): Client<AnyChannels> {
  const client = connect(address.replace('http', 'ws') + path, { ...soon, ...options })
  t.after(() => client.close())
  return client
}

/** Waits until a list has so many. */
async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('two clients chat, and each gets what both have published', async (t) => {
  const [ann, bob] = [clientOf(t, shared), clientOf(t, shared)]
  const seen: unknown[] = []
  const loop = bob.subscribe('room:1')
  ann.subscribe('room:1', (data, { offset }) => seen.push([offset, data]))
  await loop.ready
  const first = await ann.publish('room:1', { text: 'hi' })
  const second = await bob.publish('room:1', { text: 'hello' })
  deepEqual([first.offset, second.offset], [1, 2])
  const messages: ChannelMessage[] = []
  for await (const message of loop) if (messages.push(message) === 2) break
  const { epoch } = first
  deepEqual(messages, [
    { channel: 'room:1', offset: 1, epoch, data: { text: 'hi' } },
    { channel: 'room:1', offset: 2, epoch, data: { text: 'hello' } }
  ])
  await until(() => seen.length === 2)
  deepEqual(seen, [
    [1, { text: 'hi' }],
    [2, { text: 'hello' }]
  ])
})

test('a channel of the route needs no request, and whoever subscribes late gets it from then on', async (t) => {
  const client = clientOf(t, shared)
  const seen: unknown[] = []
  const early = client.subscribe('ticks', (data) => seen.push(data))
  const { epoch } = await early.ready
  await shared.publish('ticks', 1)
  await until(() => seen.length === 1)
  early.unsubscribe()
  const late = client.subscribe('ticks')
  deepEqual(await late.ready, { epoch, offset: 1 })
  await shared.publish('ticks', 2)
  for await (const { data, offset } of late) {
    deepEqual([data, offset], [2, 2])
    break
  }
  deepEqual(seen, [1])
})

test('bytes come as a Uint8Array, live and from the history', async (t) => {
  const client = clientOf(t, shared)
  const subscription = client.subscribe('room:bytes')
  const { epoch } = await subscription.ready
  await shared.publish('room:bytes', new Uint8Array([0, 255]))
  await shared.publish('room:bytes', 'text', { key: 'a' })
  for await (const { data } of subscription) {
    deepEqual(data, new Uint8Array([0, 255]))
    break
  }
  const { offset, messages } = await client.history('room:bytes', { since: { epoch, offset: 0 }, limit: 10 })
  equal(offset, 2)
  deepEqual(
    messages.map(({ channel, epoch, offset, data, key }) => ({ channel, epoch, offset, data, key })),
    [
      { channel: 'room:bytes', epoch, offset: 1, data: new Uint8Array([0, 255]), key: null },
      { channel: 'room:bytes', epoch, offset: 2, data: 'text', key: 'a' }
    ]
  )
})

test('what the server broadcasts, sends to an identity or on its own comes as events', async (t) => {
  const client = clientOf(t, shared, '/token', { token: () => hmacToken({ sub: 'ann' }) })
  const [broadcast, direct, message] = [
    new Told(client, 'broadcast'),
    new Told(client, 'direct'),
    new Told(client, 'message')
  ]
  equal(await message.find(), 'hello')
  await shared.broadcast({ all: true })
  await shared.sendTo('ann', { mail: 1 })
  await shared.sendTo('ann', new Uint8Array([7]))
  deepEqual((await broadcast.find()).data, { all: true })
  deepEqual((await direct.find()).data, { mail: 1 })
  deepEqual((await direct.find(({ data }) => data instanceof Uint8Array)).data, new Uint8Array([7]))
})

test('what the server refuses is rejected with its code, and ends the subscription alone', async (t) => {
  const client = clientOf(t, shared)
  const ended = new Told(client, 'ended')
  const refused = client.subscribe('closed')
  await rejects(refused.ready, { name: 'ClientError', code: 'SCZ_ERR_PROTOCOL_FORBIDDEN' })
  equal((await ended.find()).channel, 'closed')
  await rejects(refused[Symbol.asyncIterator]().next(), { code: 'SCZ_ERR_PROTOCOL_FORBIDDEN' })
  await rejects(client.publish('closed', 1), { code: 'SCZ_ERR_PROTOCOL_FORBIDDEN' })
  await rejects(client.history('closed'), { code: 'SCZ_ERR_PROTOCOL_FORBIDDEN' })
  equal(client.state, 'open')
  await rejects(client.publish('room:5', 'x'.repeat(2_000_000)), { code: 'SCZ_ERR_CLIENT_SIZE' })
  ok((await client.publish('room:5', 'x')).offset > 0)
})

test('a token is renewed before it expires, and the connection stays', async (t) => {
  let asked = 0
  const client = clientOf(t, shared, '/token', {
    token: () => hmacToken({ sub: 'ann', exp: inSeconds(3), n: ++asked })
  })
  const states = new Told(client, 'state')
  await states.find((state) => state === 'open')
  await until(() => asked > 3)
  deepEqual(states.events, ['open'])
})

test('an identity that has expired comes back with a new token', async (t) => {
  const tokens = [inSeconds(2), undefined]
  // No renewal: the timer of the client is far ahead of the token's end, as with a wrong clock.
  t.mock.method(Date, 'now', () => 0)
  const client = clientOf(t, shared, '/token', {
    token: () => hmacToken({ sub: 'ann', exp: tokens.shift() })
  })
  const states = new Told(client, 'state')
  await states.find((state) => state === 'waiting')
  await client.publish('room:7', 1)
  deepEqual(tokens, [])
})

test('a token that is refused is asked for once more, and that is all', async (t) => {
  let asked = 0
  const client = clientOf(t, shared, '/token', { token: () => `wrong ${++asked}` })
  const publish = client.publish('room:8', 1)
  await rejects(publish, { code: 'SCZ_ERR_CLIENT_ENDED', closeCode: 4003 })
  deepEqual([asked, client.state], [2, 'closed'])
})

test('an identity that is disconnected stays away', async (t) => {
  const client = clientOf(t, shared, '/token', { token: hmacToken({ sub: 'ann' }) })
  const subscription = client.subscribe('room:9')
  await subscription.ready
  const error = new Told(client, 'error')
  await shared.disconnect('ann')
  equal((await error.find()).closeCode, 4002)
  await rejects(subscription[Symbol.asyncIterator]().next(), {
    code: 'SCZ_ERR_CLIENT_ENDED',
    closeCode: 4002
  })
})

test('a subscription that the server takes away ends with its word', async (t) => {
  const client = clientOf(t, shared, '/token', { token: hmacToken({ sub: 'ann' }) })
  const ended = new Told(client, 'ended')
  const subscription = client.subscribe('room:10')
  await subscription.ready
  await shared.publish('room:10', 1)
  await shared.unsubscribe('ann', 'room:10')
  equal((await ended.find()).error.code, 'SCZ_ERR_PROTOCOL_WITHDRAWN')
  await rejects(
    async () => {
      for await (const { data } of subscription) equal(data, 1)
    },
    { code: 'SCZ_ERR_PROTOCOL_WITHDRAWN' }
  )
})

test('over reloads and the death of workers no message is missed, and none comes twice', async (t) => {
  const server = await start(t)
  const client = clientOf(t, server)
  const states = new Told(client, 'state')
  const lost = new Told(client, 'lost')
  const drains = new Told(client, 'drain')
  const offsets: number[] = []
  const ticks: number[] = []
  client.subscribe('room:11', (_data, { offset }) => offsets.push(offset))
  const first = client.subscribe('ticks', (_data, { offset }) => ticks.push(offset))
  await first.ready
  let isOver = false
  const flow = (async () => {
    let last = 0
    for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 2))) {
      await server.publish('ticks', 1)
      last = (await server.publish('room:11', 1)).offset
    }
    return last
  })()
  await server.reload()
  await drains.find(({ reconnect }) => reconnect === 'now')
  await states.find((state) => state === 'waiting')
  await until(() => client.state === 'open')
  for (let deaths = 0; deaths < 4; deaths++) {
    await fetch(`${server.address}/fail`, { method: 'POST' }).catch(() => {})
    await client.publish('room:11', 'own')
  }
  isOver = true
  const last = await flow
  await until(() => offsets.at(-1)! >= last)
  equal(new Set(offsets).size, offsets.length)
  for (const [index, offset] of offsets.entries()) equal(offset, offsets[0]! + index)
  for (const [index, offset] of ticks.entries()) equal(offset, ticks[0]! + index)
  deepEqual(lost.events, [])
  match(states.events.join(' '), /open waiting connecting open/)
})

test('when the server has started anew, the client is back, and told what is lost', async (t) => {
  const server = await start(t)
  const { port } = new URL(server.address)
  const client = clientOf(t, server)
  const lost = new Told(client, 'lost')
  const drains = new Told(client, 'drain')
  const seen: unknown[] = []
  const subscription = client.subscribe('room:12', (data) => seen.push(data))
  const { epoch } = await subscription.ready
  await client.publish('room:12', 'before')
  await until(() => seen.length === 1)
  await server.close()
  equal((await drains.find()).reconnect, 'later')
  const offline = client.publish('room:12', 'while it was away')
  const again = await start(t, { port: Number(port) })
  await offline
  await again.publish('room:12', 'after')
  await until(() => seen.at(-1) === 'after')
  deepEqual(seen, ['before', 'while it was away', 'after'])
  const [event] = lost.events
  deepEqual(event, { channel: 'room:12', from: 1, to: 0, epoch: event?.epoch, since: { epoch, offset: 1 } })
  ok(event.epoch !== epoch)
})

test('a program that has kept its position goes on there', async (t) => {
  const first = clientOf(t, shared)
  const subscription = first.subscribe('room:13', () => {})
  await subscription.ready
  await first.publish('room:13', 1)
  await until(() => subscription.position?.offset === 1)
  first.close()
  await shared.publish('room:13', 2)
  await shared.publish('room:13', 3)
  const since = subscription.position!
  const seen: unknown[] = []
  for await (const { data } of clientOf(t, shared).subscribe('room:13', { since })) {
    if (seen.push(data) === 2) break
  }
  deepEqual(seen, [2, 3])
})
