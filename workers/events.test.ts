import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { hmacToken, inSeconds } from '../routes/websocket/testing/tokens.ts'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'
import { EventReader, readEvents } from './testing/event-reader.ts'
import { RawClient } from './testing/raw-client.ts'
import { ask, headOf, listenTls, openHttp2 } from './testing/tls-app.ts'

const app = fileURLToPath(new URL('./testing/events-app.ts', import.meta.url))
const ann = `Authorization: Bearer ${hmacToken({ sub: 'ann', exp: inSeconds(600) })}`

async function start(t: TestContext, options: ServeOptions = {}): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 5, ...options })
  t.after(() => server.close())
  return server
}

function portOf({ address }: ScherzoServer): number {
  return Number(new URL(address).port)
}

async function follow(
  t: TestContext,
  server: ScherzoServer,
  path: string,
  headers: readonly string[] = []
): Promise<EventReader> {
  const reader = await EventReader.open(portOf(server), path, headers)
  t.after(() => reader.close())
  return reader
}

/** Once it is level with its channels, what is published reaches it live. */
function subscribed(reader: EventReader, channels = 1): Promise<void> {
  return reader.until(() => reader.notices('subscribed').length === channels)
}

async function publish(server: ScherzoServer, channel: string, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) await server.publish(channel, { number })
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

async function refusal(
  server: ScherzoServer,
  path: string,
  headers: Record<string, string> = {}
): Promise<unknown[]> {
  const response = await fetch(server.address + path, { headers })
  const { code } = (await response.json()) as { readonly code: string }
  return [response.status, code]
}

for (const runtime of ['current_thread', 'multithread'] as const) {
  test(`a stream has the messages of its channel, and one that comes back goes on behind its last (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 2 })
    const first = await follow(t, server, '/events/room:1')
    match(first.head, /^HTTP\/1\.1 200 OK\r\n/)
    match(first.head, /\r\ncontent-type: text\/event-stream\r\n/)
    ok(!/transfer-encoding/i.test(first.head))
    await subscribed(first)
    const { epoch } = await server.publish('room:1', { price: 1 })
    await server.publish('room:1', new Uint8Array([1, 2, 255]))
    await server.publish('room:1', 'line\nline')
    await first.take(3)
    deepEqual(
      first.events.filter(({ retry }) => retry === undefined),
      [
        {
          event: 'subscribed',
          id: `${epoch}:0`,
          data: `{"channel":"room:1","subscribed":{"epoch":"${epoch}","offset":0}}`
        },
        { id: `${epoch}:1`, data: '{"channel":"room:1","offset":1,"data":{"price":1}}' },
        { id: `${epoch}:2`, data: '{"channel":"room:1","offset":2,"base64":"AQL/"}' },
        { id: `${epoch}:3`, data: '{"channel":"room:1","offset":3,"data":"line\\nline"}' }
      ]
    )
    first.close()
    await publish(server, 'room:1', 4, 3000)
    const again = await follow(t, server, '/events/room:1', [`Last-Event-ID: ${first.lastId}`])
    const since = await follow(t, server, `/events/room:1?since=${epoch}:2990`)
    await publish(server, 'room:1', 3001, 3100)
    await again.take(3097)
    await since.take(110)
    deepEqual(again.offsets, range(4, 3100))
    deepEqual(since.offsets, range(2991, 3100))
    equal(again.lastId, `${epoch}:3100`)
    deepEqual(again.notices('lost'), [])
    // What it is told first is not where it is: it has not got what is between.
    equal(again.events.find(({ event }) => event === 'subscribed')!.id, undefined)
  })

  test(`a stream that a worker takes with it goes on at another one, each message once and in order (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 2 })
    const first = await follow(t, server, '/events/room:1')
    await subscribed(first)
    const publishing = publish(server, 'room:1', 1, 1000)
    await first.take(10)
    const [, thread] = /x-thread: (\d+)/.exec(first.head)!
    while (!first.client.socket.destroyed) {
      const headers = { connection: 'close' }
      await fetch(`${server.address}/die?thread=${thread}`, { headers }).catch(() => {})
    }
    await publishing
    const second = await followAgain(t, server, first.lastId)
    await second.until(() => second.offsets.at(-1) === 1000)
    deepEqual([...first.offsets, ...second.offsets], range(1, 1000))
  })
}

async function followAgain(t: TestContext, server: ScherzoServer, id: string): Promise<EventReader> {
  for (;;) {
    const reader = await follow(t, server, '/events/room:1', [`Last-Event-ID: ${id}`]).catch(() => null)
    if (reader !== null && reader.head.startsWith('HTTP/1.1 200')) return reader
  }
}

test('a stream of several channels comes back to each of them', async (t) => {
  const server = await start(t)
  const path = '/events?channel=room:a&channel=room:b%26%3D'
  const first = await follow(t, server, path)
  await subscribed(first, 2)
  const { epoch } = await server.publish('room:a', 1)
  await server.publish('room:b&=', 1)
  await server.publish('room:a', 2)
  await first.take(3)
  equal(first.lastId, `room%3Aa=${epoch}:2&room%3Ab%26%3D=${epoch}:1`)
  first.close()
  await server.publish('room:a', 3)
  await server.publish('room:b&=', 2)
  const again = await follow(t, server, path, [`Last-Event-ID: ${first.lastId}`])
  await again.take(2)
  await server.publish('room:b&=', 3)
  await again.take(3)
  const placesOf = (name: string): number[] =>
    again.messages.filter(({ channel }) => channel === name).map(({ offset }) => offset)
  deepEqual([placesOf('room:a'), placesOf('room:b&=')], [[3], [2, 3]])
  // Every event says where its client is in all channels then.
  equal(again.lastId, `room%3Aa=${epoch}:3&room%3Ab%26%3D=${epoch}:3`)
})

test('what is kept no longer is told as lost, and so is another epoch and a place that is not there', async (t) => {
  const server = await start(t)
  await publish(server, 'short', 1, 5)
  const { epoch } = await server.publish('short', 6)
  const late = await follow(t, server, `/events/short?since=${epoch}:1`)
  await late.take(2)
  deepEqual(late.notices('lost'), [{ channel: 'short', lost: { from: 2, to: 4 } }])
  equal(late.events.find(({ event }) => event === 'lost')!.id, `${epoch}:4`)
  deepEqual(late.offsets, [5, 6])
  const other = await follow(t, server, '/events/short', ['Last-Event-ID: other:3'])
  await other.until(() => other.notices('lost').length === 1)
  deepEqual(other.notices('lost'), [{ channel: 'short', epoch, lost: { from: 1, to: 6 } }])
  equal(other.lastId, `${epoch}:6`)
  const future = await follow(t, server, '/events/short', [`Last-Event-ID: ${epoch}:60`])
  await future.until(() => future.notices('lost').length === 1)
  deepEqual(future.notices('lost'), [
    { channel: 'short', error: 'SCZ_ERR_HUB_OFFSET', lost: { from: 1, to: 6 } }
  ])
  equal(future.lastId, `${epoch}:6`)
})

test('what can not be followed is refused with a code, and the connection goes on', async (t) => {
  const server = await start(t)
  for (const id of [
    'x',
    ':1',
    'e:',
    'e:-1',
    'e:99999999999999999',
    'e:a=',
    'e:%ff=1',
    `${'e'.repeat(101)}:1`
  ])
    deepEqual(
      await refusal(server, '/events/room:1', { 'last-event-id': id }),
      [400, 'SCZ_ERR_HTTP_LAST_EVENT_ID'],
      id
    )
  // A place in one channel does not say in which of two.
  deepEqual(await refusal(server, '/both', { 'last-event-id': 'e:1' }), [400, 'SCZ_ERR_HTTP_LAST_EVENT_ID'])
  deepEqual(await refusal(server, '/events/room:1?since=x'), [400, 'SCZ_ERR_HTTP_QUERY'])
  deepEqual(await refusal(server, '/events/room:1?since=e:1&since=e:2'), [400, 'SCZ_ERR_HTTP_QUERY'])
  deepEqual(await refusal(server, '/events'), [400, 'SCZ_ERR_HTTP_CHANNELS'])
  const many = range(1, 33).map((number) => `channel=room:${number}`)
  deepEqual(await refusal(server, `/events?${many.join('&')}`), [400, 'SCZ_ERR_HTTP_CHANNELS'])
  deepEqual(await refusal(server, `/events?channel=${'x'.repeat(1025)}`), [400, 'SCZ_ERR_HUB_CHANNEL'])
  deepEqual(await refusal(server, '/events/nobody-said-yes'), [403, 'SCZ_ERR_HTTP_FORBIDDEN'])
  deepEqual(await refusal(server, '/mine/room:1'), [401, 'SCZ_ERR_IDENTITY_REFUSED'])
  const client = await RawClient.open(portOf(server))
  client.send('GET /events/room:1 HTTP/1.1\r\nHost: a\r\nLast-Event-ID: x\r\n\r\n')
  await client.receive(/SCZ_ERR_HTTP_LAST_EVENT_ID/)
  client.send('GET /page HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.receive(/<title>Events/)
  client.close()
})

test('a stream that comes behind another request on its connection waits for that answer', async (t) => {
  const server = await start(t)
  const client = await RawClient.open(portOf(server))
  client.send('GET /page HTTP/1.1\r\nHost: a\r\n\r\nGET /events/room:1 HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.receive(/event: subscribed\n/)
  await server.publish('room:1', 'x')
  match(await client.receive(/"data":"x"}\n\n/), /<title>Events.*text\/event-stream.*"data":"x"/s)
  client.close()
})

test('a client that does not read is told what it missed, or is closed, as its policy says', async (t) => {
  const server = await start(t, { workers: 1 })
  const skipping = await follow(t, server, '/events/latest')
  const closed = await follow(t, server, '/events/room:1')
  const other = await follow(t, server, '/events/room:2')
  for (const reader of [skipping, closed, other]) await subscribed(reader)
  for (const { client } of [skipping, closed]) client.socket.pause()
  const data = 'x'.repeat(100_000)
  for (let number = 0; number < 200; number++) {
    await server.publish('latest', data)
    await server.publish('room:1', data)
  }
  // Behind all of them in the log.
  await server.publish('room:2', 'end')
  await other.take(1)
  for (const { client } of [skipping, closed]) client.socket.resume()
  await skipping.client.receive(/"offset":200,.*\n\n$/)
  let missed = 0
  for (const notice of skipping.notices('skipped'))
    missed += (notice as { skipped: { count: number } }).skipped.count
  ok(missed > 0)
  equal(skipping.offsets.length + missed, 200)
  equal(skipping.lastId.split(':')[1], '200')
  await closed.client.closed
  const [notice] = closed.notices('closed') as { closed: { code: number; reason: string } }[]
  equal(notice!.closed.code, 1008)
  deepEqual(closed.offsets, range(1, closed.offsets.length))
})

test('a drain ends streams with a word on when to come back', async (t) => {
  const server = await start(t)
  const readers = await Promise.all(range(1, 6).map(() => follow(t, server, '/events/room:1')))
  for (const reader of readers) await subscribed(reader)
  await server.publish('room:1', 'last')
  await server.close()
  for (const reader of readers) {
    await reader.client.closed
    deepEqual(reader.offsets, [1])
    const { event, retry, data } = reader.events.at(-1)!
    deepEqual([event, JSON.parse(data!)], ['drain', { drain: { reconnect: 'later', after: Number(retry) } }])
  }
})

test('the identity of a stream is reached, present, counted, and ends it when it expires', async (t) => {
  const server = await start(t, { maxSocketsPerIdentity: 1, workers: 1 })
  const call = async (path: string): Promise<string> =>
    (await fetch(`${server.address}${path}`, { method: 'POST' })).text()
  deepEqual(await refusal(server, `/mine/secret?token=${hmacToken({ sub: 'bob' })}`), [
    403,
    'SCZ_ERR_HTTP_FORBIDDEN'
  ])
  const reader = await follow(t, server, '/mine/hall', [ann])
  await subscribed(reader)
  deepEqual((await server.presence('hall')).members, [{ id: 'ann' }])
  equal((await server.channels()).get('hall'), 1)
  deepEqual(await refusal(server, '/mine/hall', { authorization: ann.slice(15) }), [
    429,
    'SCZ_ERR_IDENTITY_LIMIT'
  ])
  equal(await call('/send'), '1')
  await reader.until(() => reader.messages.length === 1)
  deepEqual(reader.messages, [{ base64: 'AQL/' }])
  equal(await call('/unsubscribe'), '1')
  await server.publish('hall', 1)
  equal(await call('/disconnect'), '1')
  await reader.client.closed
  equal(reader.messages.length, 1)
  equal((reader.notices('unsubscribed') as { channel: string }[])[0]!.channel, 'hall')
  deepEqual(reader.notices('closed'), [{ closed: { code: 4321, reason: 'Bye' } }])
  while ((await server.presence('hall')).count > 0) continue
  const soon = hmacToken({ sub: 'bob', exp: inSeconds(2) })
  const expiring = await follow(t, server, `/mine/hall?token=${soon}`)
  await expiring.client.closed
  equal((expiring.notices('closed') as { closed: { code: number } }[])[0]!.closed.code, 4001)
})

test('streams count among the sockets of their address', async (t) => {
  const server = await start(t, { maxSocketsPerAddress: 2, workers: 1 })
  const socket = new WebSocket(`${server.address.replace('http', 'ws')}/live`)
  await once(socket, 'open')
  const reader = await follow(t, server, '/events/room:1')
  deepEqual(await refusal(server, '/events/room:1'), [429, 'SCZ_ERR_WS_ADDRESS'])
  reader.close()
  let again = await follow(t, server, '/events/room:1')
  while (!again.head.includes(' 200 ')) again = await follow(t, server, '/events/room:1')
  socket.terminate()
})

test('what streams get is counted', async (t) => {
  const server = await start(t, { admin: '127.0.0.1:0' })
  const readers = [await follow(t, server, '/events/room:a'), await follow(t, server, '/both')]
  await subscribed(readers[0]!)
  await subscribed(readers[1]!, 2)
  await publish(server, 'room:a', 1, 5)
  for (const reader of readers) await reader.take(5)
  equal((await server.channels()).get('room:a'), 2)
  const figure = async (): Promise<number> => {
    const text = await (await fetch(`${server.adminAddress}/metrics`)).text()
    return Number(/^scherzo_hub_delivered_total (\d+)$/m.exec(text)?.[1])
  }
  // Workers tell their figures now and then.
  while ((await figure()) < 10) await delay(10)
  equal(await figure(), 10)
})

test('over HTTP/2 a stream is the same', async (t) => {
  const { port, fastify, state, endpoints } = await listenTls('./events-app.ts')
  t.after(() => fastify.close())
  // A worker without a primary reads the log when somebody listens.
  fastify.hub.subscribe('room:1', () => {})
  const session = openHttp2(port)
  const stream = session.request({ ':path': '/events/room:1' })
  stream.setEncoding('utf8')
  let text = ''
  stream.on('data', (piece: string) => (text += piece))
  const head = await headOf(stream)
  deepEqual([head[':status'], head['content-type'], head.connection], [200, 'text/event-stream', undefined])
  while (!text.includes('subscribed')) await once(stream, 'data')
  for (let number = 1; number <= 300; number++) await fastify.hub.publish('room:1', 'x'.repeat(1000))
  const offsets = (): number[] =>
    readEvents(text).flatMap(({ event, data }) =>
      event === undefined && data !== undefined ? (JSON.parse(data) as { offset: number }).offset : []
    )
  while (offsets().length < 300) await once(stream, 'data')
  deepEqual(offsets(), range(1, 300))
  const { id } = readEvents(text).at(-1)!
  const bad = await ask(session, { ':path': '/events/room:1', 'last-event-id': 'x' })
  equal(bad.status, 400)
  const again = session.request({ ':path': '/events/room:1', 'last-event-id': id!.replace(/:300$/, ':299') })
  again.setEncoding('utf8')
  let second = ''
  again.on('data', (piece: string) => (second += piece))
  while (!second.includes('"offset":300')) await once(again, 'data')
  equal(endpoints.size, 2)
  again.close()
  while (endpoints.size > 1) await delay(1)
  const ended = once(stream, 'end')
  const closed = fastify.close()
  await ended
  match(text, /event: drain\nretry: \d+\n/)
  await closed
  equal(state.openRequests, 0)
})

test('an answer of the past has a tag, and whoever has it gets 304', async (t) => {
  const server = await start(t)
  const { epoch } = await server.publish('room:1', 1)
  const get = (query: string, tag: string): Promise<Response> =>
    fetch(`${server.address}/history/room:1${query}`, { headers: { 'if-none-match': tag } })
  const first = await get('', '"x"')
  deepEqual([first.status, first.headers.get('etag')], [200, `"${epoch}:1"`])
  equal(first.headers.get('cache-control'), 'private, no-cache')
  const { next } = (await first.json()) as { readonly next: string }
  equal(next, `${epoch}:1`)
  const same = await get(`?since=${next}`, `"${next}"`)
  deepEqual([same.status, await same.text(), same.headers.get('etag')], [304, '', `"${next}"`])
  await server.publish('room:1', 2)
  const changed = await get(`?since=${next}`, `"${next}"`)
  const body = (await changed.json()) as {
    readonly messages: { readonly offset: number }[]
    readonly next: string
  }
  deepEqual([changed.status, body.messages.map(({ offset }) => offset), body.next], [200, [2], `${epoch}:2`])
  // What is gone makes another answer of the same offset.
  for (let number = 1; number <= 5; number++) await server.publish('short', number)
  const short = await fetch(`${server.address}/history/short?since=${epoch}:1`)
  equal(short.headers.get('etag'), `"${epoch}:5:4"`)
  deepEqual(await refusal(server, `/history/room:1?since=${epoch}:9`), [409, 'SCZ_ERR_HUB_OFFSET'])
  deepEqual(await refusal(server, '/history/room:1?since=other:1'), [410, 'SCZ_ERR_HTTP_EPOCH'])
})
