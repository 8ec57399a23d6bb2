import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import type { ScherzoError } from '../../core/errors.ts'
import type { GivenSettings } from '../../core/settings.ts'
import { jwt } from '../jwt/jwt.ts'
import type { HubSocket } from './hub-socket.ts'
import type { Identity } from './identity.ts'
import type { HubRouteOptions } from './options.ts'
import { closeOf, closedOnServer, connect, messages, startEndpoints } from './testing/endpoint-server.ts'
import type { EndpointServer } from './testing/endpoint-server.ts'
import { SECRET, hmacToken, inSeconds, signedToken } from './testing/tokens.ts'

/** Who sends `x-user`. */
const byHeader: HubRouteOptions['authenticate'] = async ({ headers }) => {
  const user = headers['x-user']
  return typeof user === 'string' ? { id: user } : null
}

const ann: ClientOptions = { headers: { 'x-user': 'ann' } }

function start(
  context: TestContext,
  options: HubRouteOptions,
  settings: GivenSettings = {}
): Promise<EndpointServer> {
  return startEndpoints(context, (fastify, route) => route(fastify, '/', options), settings)
}

/** How a handshake is refused. */
async function refusalOf(server: EndpointServer, options: ClientOptions = {}): Promise<Refusal> {
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, options)
  const [, response] = await once(client, 'unexpected-response')
  let body = ''
  for await (const chunk of response) body += String(chunk)
  const { code } = JSON.parse(body) as { code: string }
  return { status: response.statusCode, code, headers: response.headers }
}

interface Refusal {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
}

test('the app sees who is at the other end', async (context) => {
  const server = await start(context, {
    authenticate: byHeader,
    channels: (_request, identity) => [`user:${identity?.id}`],
    onOpen: (socket) => socket.send(JSON.stringify(socket.identity))
  })
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, ann)
  assert.deepEqual(await messages(client, 1), ['{"id":"ann"}'])
  assert.deepEqual([...server.hub.members[0]!.channels], ['user:ann'])
})

test('a route that does not ask has sockets without an identity', async (context) => {
  let rejected: unknown
  const server = await start(context, {
    onOpen: async (socket) => {
      assert.ok(await socket.may('publish', 'ticks'))
      rejected = await socket.renewWith('x').catch((error: ScherzoError) => error.code)
      socket.send(String(socket.identity))
      socket.renew({ id: 'ann' })
    }
  })
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`)
  assert.deepEqual(await messages(client, 1), ['null'])
  assert.equal((await closeOf(client)).code, 4003)
  assert.equal(rejected, 'SCZ_ERR_IDENTITY_RENEW')
})

const refusing: readonly (readonly [string, HubRouteOptions['authenticate']])[] = [
  ['null', () => null],
  ['an error', () => Promise.reject(new Error('out of tea'))],
  ['an identity that has expired', () => ({ id: 'ann', expires: inSeconds(-1) })]
]
for (const [name, authenticate] of refusing) {
  test(`a handshake for which authenticate gives ${name} is refused with 401`, async (context) => {
    const server = await start(context, { authenticate: authenticate! })
    const { status, code, headers } = await refusalOf(server)
    assert.deepEqual([status, code], [401, 'SCZ_ERR_IDENTITY_REFUSED'])
    assert.equal(headers['www-authenticate'], 'Bearer')
    assert.equal(server.hub.members.length, 0)
  })
}

for (const wrong of [
  'ann',
  { id: '' },
  { id: 7 },
  { id: 'x'.repeat(1025) },
  { id: 'ann', expires: Number.NaN }
]) {
  test(`an identity such as ${JSON.stringify(wrong).slice(0, 30)} is a mistake of the app`, async (context) => {
    const server = await start(context, { authenticate: () => wrong as Identity })
    assert.equal((await refusalOf(server)).code, 'SCZ_ERR_IDENTITY_VALUE')
  })
}

test('a token that can not be checked now is no reason for 401: the client is to try again later', async (context) => {
  const server = await start(context, { authenticate: jwt({ jwks: 'http://127.0.0.1:1/' }) })
  const { status, code, headers } = await refusalOf(server, {
    headers: { authorization: `Bearer ${signedToken('RS256', { sub: 'ann' })}` }
  })
  assert.deepEqual([status, code, headers['retry-after']], [503, 'SCZ_ERR_IDENTITY_UNAVAILABLE', '5'])
})

test('a socket that would be subscribed to what its identity may not see is refused with 403', async (context) => {
  const server = await start(context, {
    authenticate: byHeader,
    channels: ['open', 'secret'],
    authorize: async (identity, channel) => channel === 'open' || identity?.id === 'bob'
  })
  const { status, code } = await refusalOf(server, ann)
  assert.deepEqual([status, code], [403, 'SCZ_ERR_IDENTITY_FORBIDDEN'])
  await connect(server, '/', { headers: { 'x-user': 'bob' } })
  assert.deepEqual([...server.hub.members[0]!.channels], ['open', 'secret'])
})

for (const kind of ['at once', 'later'] as const) {
  const answer = (value: boolean): boolean | Promise<boolean> =>
    kind === 'later' ? Promise.resolve(value) : value
  const options: HubRouteOptions = {
    authenticate: byHeader,
    authorize: (_identity, channel, action) => answer(channel === 'open' && action === 'subscribe')
  }

  test(`a subscription that authorize refuses ${kind} ends the socket of a handler that fails with it`, async (context) => {
    const server = await start(context, {
      ...options,
      onMessage: (socket, data) => socket.subscribe(String(data))
    })
    const client = await connect(server, '/', ann)
    client.send('open')
    client.send('secret')
    assert.deepEqual(await closeOf(client), {
      code: 1008,
      reason: 'You may not subscribe to the channel "secret"'
    })
    assert.deepEqual([...server.hub.members[0]!.channels], ['open'])
    assert.deepEqual(server.logged, [])
  })

  test(`a subscription that authorize refuses ${kind} and nobody awaits does nothing`, async (context) => {
    const server = await start(context, {
      ...options,
      onMessage: async (socket, data) => {
        void socket.subscribe(String(data))
        socket.send(String(await socket.may('publish', 'open')))
      }
    })
    const client = await connect(server, '/', ann)
    client.send('secret')
    assert.deepEqual(await messages(client, 1), ['false'])
    assert.deepEqual([...server.hub.members[0]!.channels], [])
  })
}

test('a subscription that is called off before authorize has decided stays so', async (context) => {
  const decision = Promise.withResolvers<boolean>()
  const server = await start(context, {
    authenticate: byHeader,
    authorize: () => decision.promise,
    onOpen: async (socket) => {
      const subscribed = socket.subscribe('ticks')
      socket.unsubscribe('ticks')
      decision.resolve(true)
      await subscribed
      socket.send('done')
    }
  })
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, ann)
  await messages(client, 1)
  assert.deepEqual([...server.hub.members[0]!.channels], [])
})

test('a socket is closed with 4001 when its identity expires', async (context) => {
  const server = await start(context, { authenticate: () => ({ id: 'ann', expires: inSeconds(1) + 1 }) })
  const client = await connect(server, '/')
  assert.deepEqual(await closeOf(client), {
    code: 4001,
    reason: 'Your identity has expired: connect again with a new one'
  })
  assert.ok(server.hub.members[0]!.hasLeft)
})

test('an identity that is renewed in time keeps its socket open', async (context) => {
  const expires = inSeconds(2)
  const sockets: HubSocket[] = []
  const server = await start(context, {
    authenticate: ({ headers }) => ({ id: String(headers['x-user']), expires }),
    onOpen: (socket) => void sockets.push(socket)
  })
  const renewed = await connect(server, '/', ann)
  const other = await connect(server, '/', { headers: { 'x-user': 'bob' } })
  const later = { id: 'ann', expires: new Date(Date.now() + 60_000), data: 1 }
  sockets[0]!.renew(later)
  assert.equal((await closeOf(other)).code, 4001)
  assert.equal(renewed.readyState, WebSocket.OPEN)
  assert.equal(sockets[0]!.identity, later)
  renewed.close()
  await closedOnServer(server)
  sockets[0]!.renew({ id: 'ann' })
})

test('an identity is renewed with a token, and only of the same person', async (context) => {
  const server = await start(context, {
    authenticate: jwt({ secret: SECRET }),
    onMessage: async (socket, data) => {
      await socket.renewWith(String(data))
      socket.send(String(socket.identity?.expires))
    }
  })
  const open = (): Promise<WebSocket> =>
    connect(server, '/', { headers: { authorization: `Bearer ${hmacToken({ sub: 'ann' })}` } })
  const exp = inSeconds(60)
  const client = await open()
  client.send(hmacToken({ sub: 'ann', exp }))
  assert.deepEqual(await messages(client, 1), [String(exp)])
  client.removeAllListeners()
  client.send(hmacToken({ sub: 'bob' }))
  assert.deepEqual(await closeOf(client), {
    code: 4003,
    reason: 'Cannot renew the identity of the socket: the new one is somebody else'
  })
  const second = await open()
  second.send('garbage')
  assert.deepEqual(await closeOf(second), { code: 4003, reason: 'The token is not accepted' })
})

test('an app can not renew with an identity that has expired, nor with a token where none are known', async (context) => {
  const caught: unknown[] = []
  const server = await start(context, {
    authenticate: byHeader,
    onOpen: async (socket) => {
      await socket.renewWith('x').catch((error: unknown) => caught.push(error))
      try {
        socket.renew({ id: 'ann', expires: 1 })
      } catch (error) {
        caught.push(error)
      }
      socket.send('done')
    }
  })
  await messages(new WebSocket(`ws://127.0.0.1:${server.port}/`, ann), 1)
  assert.deepEqual(
    caught.map((error) => (error as ScherzoError).code),
    ['SCZ_ERR_IDENTITY_RENEW', 'SCZ_ERR_IDENTITY_RENEW']
  )
})

test('an identity has as many sockets as it may have, and room again when one is closed', async (context) => {
  const server = await start(context, { authenticate: byHeader }, { maxSocketsPerIdentity: 1 })
  const first = await connect(server, '/', ann)
  const { status, code, headers } = await refusalOf(server, ann)
  assert.deepEqual([status, code, headers['retry-after']], [429, 'SCZ_ERR_IDENTITY_LIMIT', '5'])
  await connect(server, '/', { headers: { 'x-user': 'bob' } })
  first.close()
  await closedOnServer(server)
  await connect(server, '/', ann)
})

test('an address has as many sockets as it may have, and room again when one is closed', async (context) => {
  const server = await start(context, {}, { maxSocketsPerAddress: 1 })
  const first = await connect(server, '/')
  const { status, code, headers } = await refusalOf(server)
  assert.deepEqual([status, code, headers['retry-after']], [429, 'SCZ_ERR_WS_ADDRESS', '5'])
  first.close()
  await closedOnServer(server)
  await connect(server, '/')
})

test('all sockets of an identity are reached, and nobody else', async (context) => {
  const server = await start(context, { authenticate: byHeader, channels: ['ticks'] })
  const clients = [await connect(server, '/', ann), await connect(server, '/', ann)]
  const bob = await connect(server, '/', { headers: { 'x-user': 'bob' } })
  const { endpoints, hub } = server
  const text = clients.map((client) => messages(client, 2))
  assert.equal(endpoints.control({ action: 'send', identity: 'ann', data: '{"n":1}' }), 2)
  assert.equal(endpoints.control({ action: 'send', identity: 'ann', data: Buffer.from('x') }), 2)
  for (const received of await Promise.all(text))
    assert.deepEqual(received, ['{"data":{"n":1}}', Buffer.from('\0\0\0\0\0\0\0\0\0\0x')])
  assert.equal(endpoints.control({ action: 'unsubscribe', identity: 'ann', channel: 'ticks' }), 2)
  assert.deepEqual(
    hub.members.map(({ channels }) => channels.size),
    [0, 0, 1]
  )
  const closed = clients.map(closeOf)
  const disconnect = { action: 'disconnect', identity: 'ann', code: 4002, reason: 'Bye' } as const
  for (const client of clients) client.removeAllListeners('message')
  assert.equal(endpoints.control(disconnect), 2)
  assert.deepEqual(await Promise.all(closed), [
    { code: 4002, reason: 'Bye' },
    { code: 4002, reason: 'Bye' }
  ])
  assert.equal(endpoints.control(disconnect), 0)
  assert.equal(bob.readyState, WebSocket.OPEN)
})

test('a socket that does not read what is sent to its identity is closed', async (context) => {
  const server = await start(context, { authenticate: byHeader, slow: { maxBytes: 1000 } })
  const client = await connect(server, '/', ann)
  client.pause()
  const data = JSON.stringify('x'.repeat(4_000_000))
  let sent = 0
  while (sent < 10 && server.endpoints.control({ action: 'send', identity: 'ann', data }) === 1) sent++
  assert.ok(sent < 10)
  assert.ok(server.hub.members[0]!.hasLeft)
  client.terminate()
})
