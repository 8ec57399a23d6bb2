import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { ScherzoError } from '../../core/errors.ts'
import type { GivenSettings } from '../../core/settings.ts'
import { jwt } from '../jwt/jwt.ts'
import type { TokenAuthenticator } from './identity.ts'
import type { HubRouteOptions } from './options.ts'
import { closeOf, connect, messages, startEndpoints } from './testing/endpoint-server.ts'
import type { EndpointServer } from './testing/endpoint-server.ts'
import { SECRET, hmacToken } from './testing/tokens.ts'

function start(
  context: TestContext,
  options: HubRouteOptions = {},
  settings: GivenSettings = {}
): Promise<EndpointServer> {
  const route: HubRouteOptions = {
    authenticate: jwt({ secret: SECRET, from: ['header', 'message'] }),
    channels: ['ticks'],
    onOpen: (socket) => socket.send(`hello ${socket.identity?.id}`),
    onMessage: (socket, data) => socket.send(data),
    ...options
  }
  return startEndpoints(context, (fastify, add) => add(fastify, '/', route), settings)
}

function first(token: unknown): string {
  return JSON.stringify({ token })
}

const good = first(hmacToken({ sub: 'ann' }))

/** How a socket ends that says this first. */
async function endOf(
  server: EndpointServer,
  ...said: (string | Buffer)[]
): Promise<{ code: number; reason: string }> {
  const client = await connect(server, '/')
  for (const message of said) client.send(message)
  return closeOf(client)
}

test('a socket joins the hub when the token in its first message is accepted', async (context) => {
  const server = await start(context)
  const client = await connect(server, '/')
  assert.equal(server.hub.members.length, 0)
  client.send(good)
  assert.deepEqual(await messages(client, 1), ['hello ann'])
  client.removeAllListeners()
  assert.deepEqual([...server.hub.members[0]!.channels], ['ticks'])
  // What may be long now was not before.
  const long = 'x'.repeat(100_000)
  client.send(long)
  assert.deepEqual(await messages(client, 1), [long])
})

test('a token in the header needs no first message, and a wrong one there gets no second chance', async (context) => {
  const server = await start(context)
  const headers = { authorization: `Bearer ${hmacToken({ sub: 'bob' })}` }
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, { headers })
  assert.deepEqual(await messages(client, 1), ['hello bob'])
  const refused = new WebSocket(`ws://127.0.0.1:${server.port}/`, { headers: { authorization: 'Bearer x' } })
  const error = await new Promise<Error>((resolve) => refused.once('error', resolve))
  assert.equal(error.message, 'Unexpected server response: 401')
})

const others: readonly (readonly [string, string | Buffer])[] = [
  ['no JSON', 'hello'],
  ['JSON without a token', '{"x":1}'],
  ['null', 'null'],
  ['a token that is no string', first(7)],
  ['binary', Buffer.from(good)]
]
for (const [name, message] of others) {
  test(`a first message that is ${name} closes the socket with 4003`, async (context) => {
    const { code, reason } = await endOf(await start(context), message)
    assert.equal(code, 4003)
    assert.match(reason, /^The first message has to be a token/)
  })
}

test('a message before the token is accepted closes the socket with 4003, and the app never sees it', async (context) => {
  const seen: unknown[] = []
  const server = await start(context, { onMessage: (_socket, data) => seen.push(data) })
  assert.equal((await endOf(server, good, 'too early')).code, 4003)
  assert.deepEqual(seen, [])
  assert.equal(server.hub.members.length, 0)
})

test('a token that is not accepted closes the socket with 4003', async (context) => {
  const server = await start(context)
  const expected = { code: 4003, reason: 'The token is not accepted' }
  assert.deepEqual(await endOf(server, first(hmacToken({ sub: 'ann', exp: 1 }))), expected)
  assert.deepEqual(await endOf(server, first('x'.repeat(8193))), expected)
})

test('a first message that is longer than any token is refused before it is read', async (context) => {
  assert.equal((await endOf(await start(context), first('x'.repeat(10_000)))).code, 1009)
})

test('a socket that sends no token in time is closed with 4003', async (context) => {
  const authenticate = jwt({ secret: SECRET, from: ['message'], messageTimeout: 1 })
  const server = await start(context, { authenticate })
  assert.deepEqual(await endOf(server), { code: 4003, reason: 'No accepted token came within 1 s' })
})

test('an identity that may not have the channels of the route is closed with 1008', async (context) => {
  const server = await start(context, { authorize: (identity) => identity?.id === 'bob' })
  assert.equal((await endOf(server, good)).code, 1008)
})

test('an identity that has as many sockets as it may have is closed with 4004', async (context) => {
  const server = await start(context, {}, { maxSocketsPerIdentity: 1 })
  const client = await connect(server, '/')
  client.send(good)
  await messages(client, 1)
  assert.equal((await endOf(server, good)).code, 4004)
  client.removeAllListeners()
})

test('a socket whose token can not be checked now is closed with 1013', async (context) => {
  const authenticate: TokenAuthenticator = {
    authenticate: async () => null,
    verify: () => Promise.reject(new ScherzoError('SCZ_ERR_IDENTITY_UNAVAILABLE')),
    messageTimeout: 10
  }
  assert.equal((await endOf(await start(context, { authenticate }), good)).code, 1013)
})

test('a socket that closes before it says who it is was never open to the app', async (context) => {
  const seen: unknown[] = []
  const server = await start(context, { onClose: () => void seen.push('closed') })
  const client = await connect(server, '/')
  client.close()
  await closeOf(client)
  assert.deepEqual(seen, [])
})

test('an option that is no authenticator is refused at the start', async (context) => {
  for (const options of [{ authenticate: {} }, { authenticate: 'jwt' }, { authorize: true }])
    await assert.rejects(start(context, options as unknown as HubRouteOptions), { code: 'SCZ_ERR_WS_OPTION' })
})
