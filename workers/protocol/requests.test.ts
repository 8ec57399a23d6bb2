import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { ProtocolClient } from '../../routes/protocol/testing/protocol-client.ts'
import type { Told } from '../../routes/protocol/testing/protocol-client.ts'
import { hmacToken, inSeconds } from '../../routes/websocket/testing/tokens.ts'
import type { ServeOptions } from '../serve-options.ts'
import { serve } from '../serve.ts'
import type { ScherzoServer } from '../server.ts'

const app = fileURLToPath(new URL('../testing/protocol-app.ts', import.meta.url))

async function start(t: TestContext, options: ServeOptions = {}): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 1, logLevel: 'silent', drainTimeout: 1, ...options })
  t.after(() => server.close())
  return server
}

async function open(server: ScherzoServer, user = 'ada', path = '/live'): Promise<ProtocolClient> {
  const client = await ProtocolClient.open(`${server.address}${path}`, { headers: { 'x-user': user } })
  return client
}

/** What a client got of a channel. */
function offsetsOf({ told }: ProtocolClient, channel: string): number[] {
  return told.filter((each) => each.channel === channel).flatMap(({ offset }) => offset ?? [])
}

function messagesOf({ told }: ProtocolClient, channel: string): Told[] {
  return told.filter((each) => each.channel === channel && each.offset !== undefined)
}

/** Whether a client is told of somebody in what it is told of who is there. */
function tellsOf(id: string): (told: Told) => boolean {
  return (told) => JSON.stringify(told['presence'] ?? null).includes(id)
}

test('a socket is greeted, and told where it is in the channels of its route', async (t) => {
  const server = await start(t)
  const { epoch } = await server.publish('ticks', 0)
  const expires = inSeconds(600)
  const client = await ProtocolClient.open(`${server.address}/live`, {
    headers: { 'x-user': 'ada', 'x-expires': String(expires) }
  })
  deepEqual(await client.next(), {
    connected: {
      protocol: 'scherzo.v1',
      identity: 'ada',
      expires,
      channels: ['ticks'],
      pingInterval: 30,
      maxMessageBytes: 1_048_576
    }
  })
  deepEqual(await client.next(), { channel: 'ticks', subscribed: { epoch, offset: 1 } })
  await server.publish('ticks', 1)
  deepEqual(await client.next(), { channel: 'ticks', offset: 2, data: 1 })
})

test('clients that do not offer the protocol get plain messages, as do those of routes with onMessage', async (t) => {
  const server = await start(t)
  const address = server.address.replace('http', 'ws')
  const plain = new WebSocket(`${address}/closed`)
  await new Promise((resolve) => plain.once('open', resolve))
  equal(plain.protocol, '')
  const echo = new WebSocket(`${address}/echo`, [])
  await new Promise((resolve) => echo.once('open', resolve))
  const answer = new Promise((resolve) => echo.once('message', (data) => resolve(String(data))))
  echo.send('{"id":1}')
  equal(await answer, '{"id":1}')
  const tick = new Promise((resolve) => plain.once('message', (data) => resolve(String(data))))
  await server.publish('ticks', 1)
  equal(await tick, '{"channel":"ticks","offset":1,"data":1}')
  for (const client of [plain, echo]) client.close()
})

test('a route with onMessage speaks the protocol with those who offer it where its protocols say so', async (t) => {
  const server = await start(t)
  const client = await open(server, 'ada', '/both')
  equal(client.socket.protocol, 'scherzo.v1')
  deepEqual((await client.ask('unsubscribe', { channel: 'none' })).ok, {})
  const other = new WebSocket(`${server.address.replace('http', 'ws')}/both`, ['scherzo.v1', 'other'])
  await new Promise((resolve) => other.once('open', resolve))
  equal(other.protocol, 'other')
  other.close()
})

test('the app subscribes sockets of the protocol to what they may not subscribe to by themselves', async (t) => {
  const server = await start(t)
  const client = await open(server, 'ada', '/both')
  await client.find(({ channel, subscribed }) => channel === 'room:open' && subscribed)
  await server.publish('room:open', 'hi')
  await client.find(({ channel, data }) => channel === 'room:open' && data === 'hi')
  const { error } = await client.ask('subscribe', { channel: 'room:other' })
  equal(error?.code, 'SCZ_ERR_PROTOCOL_FORBIDDEN')
})

test('what two clients publish with one idempotency key is published once, and the second is told so', async (t) => {
  const server = await start(t, { workers: 2 })
  const reader = await open(server, 'eve')
  await reader.ask('subscribe', { channel: 'room:1' })
  const [ada, bob] = [await open(server), await open(server, 'bob')]
  const fields = { channel: 'room:1', data: 'hi', idempotencyKey: '0b6f1c1e' }
  const { ok: first } = await ada.ask('publish', fields)
  equal(first?.['offset'], 1)
  equal(first['duplicate'], undefined)
  const { ok: second } = await bob.ask('publish', { ...fields, data: 'hi again' })
  deepEqual(second, { epoch: first['epoch'], offset: 1, duplicate: true })
  await bob.ask('publish', { ...fields, idempotencyKey: 'another' })
  await reader.find(({ offset }) => offset === 2)
  deepEqual(
    messagesOf(reader, 'room:1').map(({ offset, data }) => [offset, data]),
    [
      [1, 'hi'],
      [2, 'hi']
    ]
  )
})

test('what a client publishes reaches subscribers, with its offset in the answer', async (t) => {
  const server = await start(t, { workers: 2 })
  const [ada, bob] = [await open(server), await open(server, 'bob')]
  const { ok } = await bob.ask('subscribe', { channel: 'room:1' })
  equal(ok?.['offset'], 0)
  const data = { text: 'Grüße 🎼', n: [1, null, true] }
  const published = await ada.ask('publish', { channel: 'room:1', data, key: 'k', idempotencyKey: 'i' })
  deepEqual(published.ok, { epoch: ok?.['epoch'], offset: 1 })
  deepEqual(await bob.find(({ offset }) => offset === 1), { channel: 'room:1', offset: 1, data })
})

test('a client comes back with since, also to a channel that its route has subscribed it to', async (t) => {
  const server = await start(t)
  const { epoch } = await server.publish('room:1', 1)
  for (const each of [2, 3]) await server.publish('room:1', each)
  const client = await open(server)
  const first = await client.ask('subscribe', { channel: 'room:1', since: { epoch, offset: 1 } })
  deepEqual(first.ok, { epoch, offset: 3, count: 2, lost: null })
  deepEqual(offsetsOf(client, 'room:1'), [2, 3])
  const again = await client.ask('subscribe', { channel: 'room:1', since: { epoch, offset: 2 } })
  deepEqual(again.ok, { epoch, offset: 3, count: 1, lost: null })
  deepEqual(offsetsOf(client, 'room:1'), [2, 3, 3])
  const { ok } = await client.ask('subscribe', { channel: 'ticks', since: { epoch: 'other', offset: 9 } })
  deepEqual(ok, { epoch, offset: 0, count: 0, lost: { from: 1, to: 0 } })
})

test('subscribing twice goes on as it was, and unsubscribing twice does nothing', async (t) => {
  const server = await start(t)
  const client = await open(server)
  await client.ask('subscribe', { channel: 'room:1' })
  const { epoch } = await server.publish('room:1', 1)
  const again = await client.ask('subscribe', { channel: 'room:1', since: null })
  deepEqual(again.ok, { epoch, offset: 1, count: 0, lost: null })
  await server.publish('room:1', 2)
  await client.find(({ data }) => data === 2)
  deepEqual(offsetsOf(client, 'room:1'), [1, 2])
  for (let times = 0; times < 2; times++)
    deepEqual((await client.ask('unsubscribe', { channel: 'room:1' })).ok, {})
  await server.publish('room:1', 3)
  await client.ask('subscribe', { channel: 'room:2' })
  deepEqual(offsetsOf(client, 'room:1'), [1, 2])
})

test('requests take effect in their order, however long the app takes to allow each', async (t) => {
  const server = await start(t)
  const [ada, bob] = [await open(server), await open(server, 'bob')]
  for (const channel of ['later:30', 'room:1']) await bob.ask('subscribe', { channel })
  const ids = [
    ada.post('subscribe', { channel: 'later:40' }),
    ada.post('unsubscribe', { channel: 'later:40' }),
    ada.post('subscribe', { channel: 'later:20' }),
    ada.post('publish', { channel: 'later:30', data: 'first' }),
    ada.post('publish', { channel: 'room:1', data: 'second' }),
    ada.post('publish', { channel: 'later:10', data: 'third' })
  ]
  const answers = await Promise.all(ids.map((id) => ada.find((told) => told.id === id)))
  equal(answers[0]?.error?.code, 'SCZ_ERR_PROTOCOL_CALLED_OFF')
  for (const answer of answers.slice(1)) equal(answer.error, undefined)
  await bob.find(({ data }) => data === 'second')
  deepEqual(
    [...messagesOf(bob, 'later:30'), ...messagesOf(bob, 'room:1')].map(({ data }) => data),
    ['first', 'second']
  )
  const published = bob.told.filter(({ data }) => data !== undefined).map(({ data }) => data)
  deepEqual(published, ['first', 'second'])
})

test('hundreds of requests in one go are all answered, and the publishes among them keep their order', async (t) => {
  const server = await start(t, { messagesPerSecond: 0 })
  const client = await open(server)
  await client.ask('subscribe', { channel: 'room:1' })
  const count = 2000
  const ids = Array.from({ length: count }, (_, n) =>
    client.post('publish', { channel: n % 3 === 0 ? 'later:0' : 'room:1', data: n })
  )
  for (const id of ids) equal((await client.find((told) => told.id === id)).error, undefined)
  const own = Array.from({ length: count }, (_, n) => n).filter((n) => n % 3 !== 0)
  await client.find(({ channel, data }) => channel === 'room:1' && data === own.at(-1))
  deepEqual(
    messagesOf(client, 'room:1').map(({ data }) => data),
    own
  )
})

test('a client reads the history of what it may subscribe to, bytes in base64', async (t) => {
  const server = await start(t)
  const { epoch } = await server.publish('room:1', { n: 1 }, { key: 'k' })
  await server.publish('room:1', Buffer.from([0, 255]))
  await server.publish('room:1', 'x'.repeat(262_144))
  const client = await open(server)
  const { ok } = await client.ask('history', { channel: 'room:1', limit: 3 })
  deepEqual(JSON.parse(JSON.stringify(ok).replaceAll(/"time":\d+/g, '"time":0')), {
    epoch,
    offset: 3,
    messages: [
      { offset: 1, data: { n: 1 }, time: 0, key: 'k' },
      { offset: 2, base64: 'AP8=', time: 0 }
    ]
  })
  const rest = await client.ask('history', { channel: 'room:1', since: { epoch, offset: 2 } })
  match(JSON.stringify(rest.ok), /"messages":\[\{"offset":3,"data":"x{262144}","time":\d+\}\]/)
  deepEqual((await client.ask('history', { channel: 'news' })).ok, { epoch, offset: 0, messages: [] })
})

test('a subscription that the server takes away is told, and one that waits to be allowed does not begin', async (t) => {
  const server = await start(t)
  const client = await open(server)
  await client.ask('subscribe', { channel: 'room:1' })
  await server.unsubscribe('ada', 'room:1')
  const { unsubscribed } = await client.find((told) => told['unsubscribed'])
  deepEqual(unsubscribed, {
    code: 'SCZ_ERR_PROTOCOL_WITHDRAWN',
    message: 'The server has ended the subscription to "room:1"'
  })
  await server.unsubscribe('ada', 'room:1')
  const waiting = client.post('subscribe', { channel: 'later:200' })
  // It is read before the worker is asked to take the channel away.
  await client.ask('authenticate')
  await server.unsubscribe('ada', 'later:200')
  const answer = await client.find(({ id }) => id === waiting)
  equal(answer.error?.code, 'SCZ_ERR_PROTOCOL_CALLED_OFF')
  equal(client.told.filter((told) => 'unsubscribed' in told).length, 1)
})

test('what the app has given, a client may ask for again, and not once it is gone', async (t) => {
  const server = await start(t)
  const client = await open(server, 'ada', '/both')
  await client.find(({ subscribed }) => subscribed)
  equal((await client.ask('subscribe', { channel: 'room:open' })).error, undefined)
  await client.ask('unsubscribe', { channel: 'room:open' })
  const { error } = await client.ask('subscribe', { channel: 'room:open' })
  equal(error?.code, 'SCZ_ERR_PROTOCOL_FORBIDDEN')
})

test('a token in the first message opens the socket, and another one renews it', async (t) => {
  const server = await start(t)
  const client = await ProtocolClient.open(`${server.address}/token`)
  const [early, late] = [inSeconds(60), inSeconds(600)]
  client.post('authenticate', { token: hmacToken({ sub: 'ada', exp: early }) })
  match(JSON.stringify(await client.next()), /"identity":"ada","expires":/)
  deepEqual(await client.next(), { id: 1, ok: { expires: early } })
  const renewed = await client.ask('renew', { token: hmacToken({ sub: 'ada', exp: late }) })
  deepEqual(renewed.ok, { expires: late })
})

test('fields that nobody knows are ignored, and what they hold is never looked at', async (t) => {
  const server = await start(t)
  const client = await open(server)
  const odd = '"then":7,"toString":1,"constructor":null,"__proto__":{"id":5}'
  client.socket.send(`{"id":1,"action":"publish","channel":"room:1","data":{${odd}},${odd}}`)
  equal((await client.find(({ id }) => id === 1)).error, undefined)
  client.socket.send('{"id":9007199254740991,"action":"unsubscribe","channel":"room:1"}')
  deepEqual((await client.find(({ id }) => id === 9007199254740991)).ok, {})
})

test('what is sent to an identity and to all reaches sockets of the protocol', async (t) => {
  const server = await start(t)
  const client = await open(server)
  await client.next()
  await server.sendTo('ada', 1)
  await server.broadcast(2)
  deepEqual(await client.find((told) => told['data'] === 1), { data: 1 })
  deepEqual(await client.find((told) => told['data'] === 2), { offset: 1, data: 2 })
})

test('who subscribes with presence is told who is there until it unsubscribes', async (t) => {
  const server = await start(t)
  const ada = await open(server, 'ada')
  equal((await ada.ask('subscribe', { channel: 'room:p', presence: true })).error, undefined)
  await ada.find(tellsOf('ada'))
  const bob = await open(server, 'bob')
  await bob.ask('subscribe', { channel: 'room:p' })
  await ada.find(tellsOf('bob'))
  const { ok: present } = await bob.ask('presence', { channel: 'room:p' })
  deepEqual(present!['count'], 2)
  await ada.ask('unsubscribe', { channel: 'room:p' })
  await bob.ask('subscribe', { channel: 'room:p', presence: true })
  await bob.find((told) => Object(told['presence']).count === 1)
  const cyd = await open(server, 'cyd')
  await cyd.ask('subscribe', { channel: 'room:p' })
  await bob.find(tellsOf('cyd'))
  await ada.ask('presence', { channel: 'room:p' })
  ok(!ada.told.some(tellsOf('cyd')))
})

test('who may subscribe and not see who is there is refused both together, and neither begins', async (t) => {
  const server = await start(t)
  const ada = await open(server, 'ada')
  const { error } = await ada.ask('subscribe', { channel: 'news', presence: true })
  deepEqual(error, {
    code: 'SCZ_ERR_PROTOCOL_FORBIDDEN',
    message: 'You may not see who is present in the channel "news"'
  })
  equal((await server.channels()).get('news'), undefined)
  await ada.ask('subscribe', { channel: 'news' })
  const { error: again } = await ada.ask('subscribe', { channel: 'news', presence: true })
  equal(again!.code, 'SCZ_ERR_PROTOCOL_FORBIDDEN')
})
