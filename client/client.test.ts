import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { TestContext } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { connect } from './index.ts'
import type { AnyChannels, Client, ClientOptions, Presence } from './index.ts'
import { Told } from './testing/events.ts'
import { FakeServer } from './testing/fake-server.ts'

// The client beside a server and a clock that only move when a test says so.

interface World {
  readonly server: FakeServer
  readonly client: Client<AnyChannels>
  /** Everything that is under way arrives. */
  settle(): Promise<void>
  /** Time passes, and nothing arrives. */
  pass(milliseconds: number): Promise<void>
}

async function begin(
  t: TestContext,
  options: ClientOptions = {},
  prepare: (server: FakeServer) => void = () => {}
): Promise<World> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  // The full time of every wait, so that a test can tell what it is.
  const random = t.mock.method(Math, 'random', () => 1)
  const server = new FakeServer()
  prepare(server)
  const client = connect('ws://server/live', { WebSocket: server.WebSocket, ...options })
  t.after(() => {
    client.close()
    random.mock.restore()
    mock.timers.reset()
  })
  await flush()
  const settle = async (): Promise<void> => {
    server.socket?.settle()
    await flush()
  }
  const pass = async (milliseconds: number): Promise<void> => {
    mock.timers.tick(milliseconds)
    await flush()
  }
  return { server, client, settle, pass }
}

async function flush(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve()
}

test('attempts wait twice as long each time up to the limit, and anew after a connection that lasted', async (t) => {
  const { server, client, settle, pass } = await begin(t, {}, (server) => {
    server.isUp = false
  })
  const waits = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]
  for (const [index, wait] of waits.entries()) {
    await settle()
    equal(client.state, 'waiting')
    equal(client.retryAt, Date.now() + wait)
    await pass(wait - 1)
    equal(server.connections, index + 1)
    await pass(1)
    equal(server.connections, index + 2)
  }
  server.isUp = true
  server.socket!.cut()
  await settle()
  await pass(30_000)
  await settle()
  equal(client.state, 'open')
  await pass(5000)
  server.socket!.cut()
  await settle()
  await pass(500)
  await settle()
  equal(client.state, 'open')
})

test('an attempt that gets no answer is given up', async (t) => {
  const { server, client, pass } = await begin(t, { connectTimeout: 3000 })
  await pass(2999)
  equal(client.state, 'connecting')
  await pass(1)
  equal(client.state, 'waiting')
  equal(server.socket!.isCut, true)
})

test('a silent server is asked whether it is there, and left if it is not', async (t) => {
  const { server, client, settle, pass } = await begin(t)
  await settle()
  await pass(30_000)
  deepEqual(server.socket!.fromClient, ['{"id":1,"action":"ping"}'])
  await settle()
  await pass(4999)
  equal(client.state, 'open')
  // It has answered, which is all that counts.
  await pass(30_001)
  equal(client.state, 'open')
  await pass(30_000)
  await pass(4999)
  equal(client.state, 'open')
  await pass(1)
  equal(client.state, 'waiting')
})

test('a browser that is offline makes the client look, and one that is online again makes it try', async (t) => {
  const page = new EventTarget()
  Object.assign(globalThis, {
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page)
  })
  t.after(() => {
    Reflect.deleteProperty(globalThis, 'addEventListener')
    Reflect.deleteProperty(globalThis, 'removeEventListener')
  })
  const { server, client, settle, pass } = await begin(t)
  await settle()
  page.dispatchEvent(new Event('offline'))
  deepEqual(server.socket!.fromClient, ['{"id":1,"action":"ping"}'])
  await pass(5000)
  equal(client.state, 'waiting')
  page.dispatchEvent(new Event('offline'))
  equal(client.state, 'waiting')
  page.dispatchEvent(new Event('online'))
  await flush()
  await settle()
  equal(client.state, 'open')
})

test('a server that drains is left alone for as long as it says', async (t) => {
  const { server, client, settle, pass } = await begin(t)
  await settle()
  server.socket!.tell({ drain: { reconnect: 'later', after: 1500 } })
  await settle()
  equal(client.state, 'open')
  server.socket!.cut(1001)
  await settle()
  await pass(1499)
  equal(client.state, 'waiting')
  await pass(1)
  equal(client.state, 'connecting')
})

for (const [code, state] of [
  [1000, 'closed'],
  [1001, 'waiting'],
  [1002, 'closed'],
  [1006, 'waiting'],
  [1007, 'closed'],
  [1008, 'waiting'],
  [1009, 'waiting'],
  [1011, 'waiting'],
  [1012, 'waiting'],
  [1013, 'waiting'],
  [3000, 'waiting'],
  [4001, 'closed'],
  [4002, 'closed'],
  [4003, 'closed'],
  [4004, 'waiting'],
  [4900, 'closed']
] as const) {
  test(`after close code ${code} a client without a token is ${state}`, async (t) => {
    const { server, client, settle } = await begin(t)
    await settle()
    const publish = client.publish('a', 1)
    server.socket!.cut(code)
    await settle()
    equal(client.state, state)
    if (state === 'waiting') client.close()
    await rejects(publish, {
      code: state === 'closed' ? 'SCZ_ERR_CLIENT_ENDED' : 'SCZ_ERR_CLIENT_CLOSED',
      closeCode: state === 'closed' ? code : null
    })
  })
}

test('the token comes first, and is asked for anew for each connection', async (t) => {
  let asked = 0
  const { server, client, settle, pass } = await begin(t, { token: async () => `t${++asked}` }, (server) => {
    server.awaitsToken = true
  })
  const publish = client.publish('a', 1)
  server.socket!.moveDown()
  deepEqual(server.socket!.fromClient, ['{"id":2,"action":"authenticate","token":"t1"}'])
  await settle()
  server.socket!.cut(4001)
  await settle()
  await pass(500)
  await settle()
  deepEqual(server.tokens, ['t1', 't2'])
  equal((await publish).offset, 1)
})

test('a token that cannot be had is told of, and asked for again', async (t) => {
  let asked = 0
  const { server, client, settle, pass } = await begin(t, {
    token: () => {
      if (++asked === 2) throw new Error('offline')
      return 'token'
    }
  })
  const errors = new Told(client, 'error')
  await settle()
  server.socket!.cut()
  await settle()
  await pass(500)
  equal(client.state, 'waiting')
  await pass(1000)
  await settle()
  equal(client.state, 'open')
  deepEqual(
    errors.events.map(({ code }) => code),
    ['SCZ_ERR_CLIENT_TOKEN']
  )
})

test('a renewal that fails is tried again before the token expires', async (t) => {
  let asked = 0
  const { server, client, settle, pass } = await begin(
    t,
    {
      heartbeat: 1_000_000,
      token: () => {
        if (++asked === 2) throw new Error('not now')
        return `t${asked}`
      }
    },
    (server) => {
      server.awaitsToken = true
      server.greeting = { expires: 100 }
    }
  )
  const errors = new Told(client, 'error')
  await settle()
  deepEqual(server.tokens, ['t1'])
  await pass(80_000)
  equal(errors.events[0]!.code, 'SCZ_ERR_CLIENT_TOKEN')
  await pass(16_000)
  await settle()
  deepEqual(server.tokens, ['t1', 't3'])
  equal(client.state, 'open')
})

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

test('without a WebSocket the client says what it needs', (t) => {
  const before = globalThis.WebSocket
  Object.assign(globalThis, { WebSocket: undefined })
  t.after(() => Object.assign(globalThis, { WebSocket: before }))
  throws(() => connect('ws://server/'), { code: 'SCZ_ERR_CLIENT_WEBSOCKET' })
})
