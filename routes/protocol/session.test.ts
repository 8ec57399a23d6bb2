import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { startEndpoints } from '../websocket/testing/endpoint-server.ts'
import { MAX_UNDER_WAY } from './session.ts'
import { ProtocolClient } from './testing/protocol-client.ts'

test('a client with too many requests under way is not read until half of them are answered', async (t) => {
  const server = await startEndpoints(t, (fastify, route) => {
    route(fastify, '/', {
      authorize: () => true,
      compress: false,
      limits: { messagesPerSecond: 0 }
    })
  })
  const open: (() => void)[] = []
  server.hub.onPublish = () =>
    new Promise((resolve) => {
      open.push(() => resolve({ epoch: 'e', offset: open.length }))
    })
  const client = await ProtocolClient.open(`http://127.0.0.1:${server.port}/`)
  const count = 5000
  // So long that one read of the server has few of them.
  const data = 'x'.repeat(4000)
  for (let n = 0; n < count; n++) client.post('publish', { channel: 'a', data })
  const socket = server.sockets[0]!
  await until(() => socket.isPaused())
  const atOnce = open.length
  ok(atOnce >= MAX_UNDER_WAY && atOnce < 2 * MAX_UNDER_WAY, `${atOnce} were under way`)
  await turns(50)
  equal(open.length, atOnce)
  // One more than half is not enough; then it goes on.
  for (const answer of open.splice(0, atOnce - MAX_UNDER_WAY / 2 - 1)) answer()
  await turns(50)
  ok(socket.isPaused())
  open.shift()!()
  await until(() => !socket.isPaused() || open.length > MAX_UNDER_WAY / 2)
  while (client.told.length < count + 1) {
    for (const answer of open.splice(0)) answer()
    await turns(1)
  }
  deepEqual(new Set(client.told.slice(1).map(({ id }) => id)).size, count)
})

test('what comes behind a request that the app cannot decide about waits for that, and then takes effect', async (t) => {
  const decisions = Promise.withResolvers<boolean>()
  const server = await startEndpoints(t, (fastify, route) => {
    route(fastify, '/', {
      authorize: (_identity, channel) => (channel === 'a' ? decisions.promise : true)
    })
  })
  const published: string[] = []
  server.hub.onPublish = async (channel) => {
    published.push(channel)
    return { epoch: 'e', offset: 1 }
  }
  const client = await ProtocolClient.open(`http://127.0.0.1:${server.port}/`)
  const [first, second] = [
    client.post('publish', { channel: 'a', data: 1 }),
    client.post('publish', { channel: 'b', data: 1 })
  ]
  // Refused at once, since it takes no effect.
  equal((await client.ask('sing')).error?.code, 'SCZ_ERR_PROTOCOL_ACTION')
  deepEqual(published, [])
  decisions.reject(new Error('The app fails'))
  equal((await client.find(({ id }) => id === first)).error?.code, 'SCZ_ERR_PROTOCOL_FAILED')
  equal((await client.find(({ id }) => id === second)).error, undefined)
  deepEqual(published, ['b'])
  deepEqual(server.logged, ['A request of a client failed'])
})

test('a client may do what the rule of a channel lets it, and what the route has a word on only if both say yes', async (t) => {
  const server = await startEndpoints(t, (fastify, route) => {
    route(fastify, '/', {})
    route(fastify, '/asked', {
      authorize: (_identity, channel, action) => allowed.has(`${action} ${channel}`)
    })
  })
  const allowed = new Set(['subscribe room:1', 'presence room:1', 'publish room:2'])
  server.rules.set('room:*', { subscribe: 'all', publish: 'identified' })
  server.rules.set('room:2', { subscribe: 'none', publish: async () => true })
  server.rules.set('room:3', { subscribe: 'all', seePresence: 'none' })
  const requests = [1, 2, 3].flatMap((room) =>
    ['subscribe', 'publish', 'presence', 'history'].map((action) => [action, `room:${room}`] as const)
  )
  const doneOn = async (path: string): Promise<string[]> => {
    const client = await ProtocolClient.open(`http://127.0.0.1:${server.port}${path}`)
    const done: string[] = []
    // The last first: who has a channel need not be asked again.
    for (const [action, channel] of requests.toReversed()) {
      const { error } = await client.ask(action, { channel, data: 1 })
      if (error === undefined) done.push(`${action} ${channel}`)
      else equal(error.code, 'SCZ_ERR_PROTOCOL_FORBIDDEN')
    }
    return done.toSorted()
  }
  deepEqual(await doneOn('/'), [
    'history room:1',
    'history room:3',
    'presence room:1',
    'publish room:2',
    'subscribe room:1',
    'subscribe room:3'
  ])
  deepEqual(await doneOn('/asked'), [
    'history room:1',
    'presence room:1',
    'publish room:2',
    'subscribe room:1'
  ])
})

test('a client of the protocol is refused what is too much, and read on, where others are made to wait', async (t) => {
  const server = await startEndpoints(t, (fastify, route) => {
    route(fastify, '/', {
      authorize: () => true,
      protocols: ['scherzo.v1'],
      onMessage: () => {},
      limits: { messagesPerSecond: 1, messageBurst: 50 }
    })
  })
  const client = await ProtocolClient.open(`http://127.0.0.1:${server.port}/`)
  const ids = Array.from({ length: 80 }, () => client.post('publish', { channel: 'a', data: 1 }))
  equal((await client.find(({ id }) => id === ids.at(-1))).error?.code, 'SCZ_ERR_LIMIT_MESSAGES')
  equal(server.sockets[0]!.isPaused(), false)
  equal(client.told.filter(({ ok }) => ok !== undefined).length, 50)
})

test('a client has as many channels as it may, counted when its requests take effect', async (t) => {
  const server = await startEndpoints(t, (fastify, route) => {
    route(fastify, '/', { authorize: async () => true, channels: ['own'], limits: { maxChannels: 3 } })
  })
  const client = await ProtocolClient.open(`http://127.0.0.1:${server.port}/`)
  const ids = ['a', 'b', 'c'].map((channel) => client.post('subscribe', { channel }))
  client.post('unsubscribe', { channel: 'a' })
  ids.push(client.post('subscribe', { channel: 'd' }), client.post('subscribe', { channel: 'b' }))
  const codes: unknown[] = []
  for (const each of ids) codes.push((await client.find(({ id }) => id === each)).error?.code)
  deepEqual(codes, [undefined, undefined, 'SCZ_ERR_LIMIT_CHANNELS', undefined, undefined])
  deepEqual([...server.hub.members[0]!.channels], ['own', 'b', 'd'])
})

test('only true is a yes', async (t) => {
  const server = await startEndpoints(t, (fastify, route) => {
    route(fastify, '/', { authorize: ((_identity: unknown, channel: string) => YES[channel]) as never })
  })
  const client = await ProtocolClient.open(`http://127.0.0.1:${server.port}/`)
  for (const channel of Object.keys(YES)) {
    const { error } = await client.ask('publish', { channel, data: 1 })
    equal(error?.code, 'SCZ_ERR_PROTOCOL_FORBIDDEN')
  }
})

const YES: Readonly<Record<string, unknown>> = {
  one: 1,
  text: 'true',
  later: Promise.resolve({}),
  nothing: undefined
}

test('a client that is held up is not cut for its silence', async (t) => {
  const server = await startEndpoints(
    t,
    (fastify, route) => {
      route(fastify, '/', { authorize: () => true })
    },
    { pingInterval: 1 }
  )
  const { promise, resolve } = Promise.withResolvers<{ epoch: string; offset: number }>()
  server.hub.onPublish = () => promise
  const client = await ProtocolClient.open(`http://127.0.0.1:${server.port}/`)
  for (let n = 0; n < MAX_UNDER_WAY; n++) client.post('publish', { channel: 'a', data: 1 })
  await until(() => server.sockets[0]!.isPaused())
  // The server's pings are answered, but nobody reads that.
  let pings = 0
  client.socket.on('ping', () => pings++)
  await until(() => pings === 4)
  resolve({ epoch: 'e', offset: 1 })
  await client.find(({ id }) => id === MAX_UNDER_WAY)
})

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turns(1)
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
