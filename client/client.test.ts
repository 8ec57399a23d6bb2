import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { mock, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import type { Presence } from './index.ts'
import { Told } from './testing/events.ts'
import { begin } from './testing/world.ts'

test('a publish without an answer goes again with its key, in its place, and happens once', async (t) => {
  const { server, client, settle, pass } = await begin(t)
  await settle()
  const first = client.publish('a', 1)
  server.socket!.moveUp()
  const second = client.publish('a', 2)
  server.socket!.cut()
  const third = client.publish('a', 3)
  await settle()
  await pass(500)
  await settle()
  deepEqual(
    (await Promise.all([first, second, third])).map(({ offset }) => offset),
    [1, 2, 3]
  )
  deepEqual(
    server.log('a').map(({ data }) => data),
    [1, 2, 3]
  )
})

test('beyond the limit of the queue, with data that are no JSON or too long, and after its end a publish is rejected', async (t) => {
  const { client, settle } = await begin(t, { queue: 2 })
  const kept = [client.publish('a', 1), client.publish('a', 'x'.repeat(1000))]
  await rejects(client.publish('a', 3), { code: 'SCZ_ERR_CLIENT_QUEUE' })
  await rejects(client.publish('a', undefined), { code: 'SCZ_ERR_CLIENT_DATA' })
  const cycle: unknown[] = []
  cycle.push(cycle)
  await rejects(client.publish('a', cycle), { code: 'SCZ_ERR_CLIENT_DATA' })
  const tooLong = rejects(kept[1]!, { code: 'SCZ_ERR_CLIENT_SIZE' })
  await settle()
  await tooLong
  equal((await kept[0]!).offset, 1)
  client.close()
  await rejects(client.publish('a', 1), { code: 'SCZ_ERR_CLIENT_CLOSED' })
  throws(() => client.subscribe('a'), { code: 'SCZ_ERR_CLIENT_CLOSED' })
})

test('a loop that is too slow ends, or is told what it missed', async (t) => {
  const { server, client, settle } = await begin(t)
  const skipped = new Told(client, 'skipped')
  const ends = client.subscribe('a', { buffer: 2 })
  const skips = client.subscribe('b', { buffer: 2, overflow: 'skip' })
  await settle()
  for (const channel of ['a', 'b']) for (const data of [1, 2, 3]) server.publish(channel, data)
  await settle()
  const got: unknown[] = []
  await rejects(
    async () => {
      for await (const { data } of ends) got.push(data)
    },
    { code: 'SCZ_ERR_CLIENT_BUFFER' }
  )
  skips.unsubscribe()
  deepEqual(got, [1, 2])
  deepEqual(skipped.events, [{ channel: 'b', from: 1, to: 1, count: 1 }])
})

test('deflated messages, batches and those between them keep their order', async (t) => {
  const { server, client, settle } = await begin(t)
  server.socket!.protocol = 'scherzo.v1+deflate'
  const got: unknown[] = []
  client.subscribe('a', (data) => got.push(data))
  await settle()
  const bytes = Uint8Array.of(0, 0, 1, 97, 0, 0, 0, 0, 0, 0, 0, 4, 255)
  const { socket } = server
  socket!.emit({ type: 'message', data: deflated([of(1), of(2)]) })
  socket!.emit({ type: 'message', data: JSON.stringify(of(3)) })
  socket!.emit({ type: 'message', data: bytes.buffer })
  socket!.emit({ type: 'message', data: deflated(of(5)) })
  socket!.emit({ type: 'close', code: 1001, reason: '' })
  while (client.state === 'open') await new Promise((resolve) => setImmediate(resolve))
  deepEqual(got, [1, 2, 3, new Uint8Array([255]), 5])
})

function of(offset: number): object {
  return { channel: 'a', offset, data: offset }
}

function deflated(value: unknown): ArrayBuffer {
  return Uint8Array.of(1, ...deflateRawSync(JSON.stringify(value))).buffer
}

test('presence is kept up to date from states and changes', async (t) => {
  const { server, client, settle } = await begin(t)
  const seen: unknown[] = []
  const note = ({ count, members, joined, left }: Presence): void =>
    void seen.push([count, members === null ? null : [...members], joined, left])
  client.subscribe('a', () => {}, { presence: note })
  await settle()
  for (const presence of [
    { count: 1, members: [{ id: 'ann', data: 1 }] },
    { count: 2, joined: [{ id: 'bob' }] },
    { count: 1, joined: [{ id: 'bob', data: 2 }], left: ['ann'] },
    { count: 20_000 },
    { count: 1, members: [{ id: 'cyd' }] }
  ])
    server.socket!.tell({ channel: 'a', presence })
  await settle()
  deepEqual(seen, [
    [1, [['ann', 1]], [], []],
    [
      2,
      [
        ['ann', 1],
        ['bob', undefined]
      ],
      ['bob'],
      []
    ],
    [1, [['bob', 2]], ['bob'], ['ann']],
    [20_000, null, [], []],
    [1, [['cyd', undefined]], [], []]
  ])
})

test('a server that could not subscribe is asked again, and one that refuses is not', async (t) => {
  const { server, client, settle, pass } = await begin(t)
  await settle()
  const ended = new Told(client, 'ended')
  client.subscribe('a', () => {})
  server.socket!.fromClient.length = 0
  server.socket!.tell({ id: 1, error: { code: 'SCZ_ERR_PROTOCOL_FAILED', message: 'Try again' } })
  server.socket!.moveDown()
  await pass(2000)
  deepEqual(server.socket!.fromClient, ['{"id":2,"action":"subscribe","channel":"a","since":null}'])
  server.socket!.fromClient.length = 0
  server.socket!.tell({ id: 2, error: { code: 'SCZ_ERR_PROTOCOL_FORBIDDEN', message: 'No' } })
  server.socket!.moveDown()
  deepEqual(
    ended.events.map(({ channel, error }) => [channel, error.code]),
    [['a', 'SCZ_ERR_PROTOCOL_FORBIDDEN']]
  )
})

test('a second subscription cannot begin elsewhere, and the channel is left with the last one', async (t) => {
  const { server, client, settle } = await begin(t)
  const since = { epoch: '1', offset: 0 }
  server.publish('a', 1)
  const got: unknown[] = []
  const first = client.subscribe('a', (data) => got.push(data), { since })
  throws(() => client.subscribe('a', { since }), { code: 'SCZ_ERR_CLIENT_SINCE' })
  const second = client.subscribe('a', () => {})
  await settle()
  deepEqual(got, [1])
  first.unsubscribe()
  equal(server.socket!.fromClient.length, 0)
  second.unsubscribe()
  await settle()
  equal(server.socket!.subscribed.has('a'), false)
})

test('what a listener throws reaches those who look after uncaught errors, and nobody else', async (t) => {
  const { server, client, settle } = await begin(t)
  const got: unknown[] = []
  client.subscribe('a', () => {
    throw new Error('a mistake of the page')
  })
  client.subscribe('a', (data) => got.push(data))
  await settle()
  server.publish('a', 1)
  await settle()
  deepEqual(got, [1])
  throws(() => mock.timers.tick(1), { message: 'a mistake of the page' })
})
