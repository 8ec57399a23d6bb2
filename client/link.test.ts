import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from './index.ts'
import { Told } from './testing/events.ts'
import { begin, flush } from './testing/world.ts'

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

test('without a WebSocket the client says what it needs', (t) => {
  const before = globalThis.WebSocket
  Object.assign(globalThis, { WebSocket: undefined })
  t.after(() => Object.assign(globalThis, { WebSocket: before }))
  throws(() => connect('ws://server/'), { code: 'SCZ_ERR_CLIENT_WEBSOCKET' })
})
