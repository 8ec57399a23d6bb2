import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { ChannelRules } from '../../core/broadcast/channel-rules.ts'
import type { ChannelRule } from '../../core/broadcast/channel-rules.ts'
import type { Permission } from '../../core/broadcast/permission.ts'
import type { Authorize, Identity } from './identity.ts'
import { Permissions } from './permissions.ts'
import { closeOf, connect, messages, startEndpoints } from './testing/endpoint-server.ts'
import type { HubRouteOptions } from './options.ts'

const ann: Identity = { id: 'ann' }

const yes = (): boolean => true
const no = (): boolean => false
const fail = (): never => {
  throw new Error('out of tea')
}

function permissions(rule: ChannelRule | null, authorize: Authorize | null): Permissions {
  const rules = new ChannelRules()
  if (rule !== null) rules.set('room:*', rule)
  return new Permissions(rules, authorize)
}

test('a client may do what the rule and authorize both allow, and nothing that nobody allows', async () => {
  const cases: [Permission | null, Authorize | null, boolean, boolean][] = [
    // The rule, authorize, and whether a client may and the app may.
    [null, null, false, true],
    ['all', null, true, true],
    ['identified', null, true, true],
    ['none', null, false, false],
    [yes, null, true, true],
    [no, null, false, false],
    [async () => true, null, true, true],
    [async () => false, null, false, false],
    [null, yes, true, true],
    [null, no, false, false],
    [null, async () => true, true, true],
    ['all', yes, true, true],
    ['all', no, false, false],
    ['none', yes, false, false],
    [async () => true, yes, true, true],
    [async () => true, async () => false, false, false],
    [async () => false, async () => true, false, false],
    [(() => 1) as never, yes, false, false],
    ['all', (() => 'yes') as never, false, false],
    [(async () => 1) as never, null, false, false]
  ]
  for (const action of ['subscribe', 'publish', 'presence'] as const) {
    const option = action === 'presence' ? 'seePresence' : action
    for (const [index, [permission, authorize, client, app]] of cases.entries()) {
      const rule = permission === null ? {} : { [option]: permission }
      const all = permissions(rule, authorize)
      equal(await all.mayClient(ann, 'room:1', action), client, `client, ${action}, case ${index}`)
      equal(await all.mayApp(ann, 'room:1', action), app, `app, ${action}, case ${index}`)
    }
  }
})

test('a client without an identity is nobody who is identified', () => {
  equal(permissions({ publish: 'identified' }, null).mayClient(null, 'room:1', 'publish'), false)
  equal(permissions({ publish: 'all' }, null).mayClient(null, 'room:1', 'publish'), true)
})

test('a rule for one action says nothing about another, nor about channels that it does not match', () => {
  const all = permissions({ subscribe: 'all' }, null)
  equal(all.mayClient(ann, 'room:1', 'publish'), false)
  equal(all.mayClient(ann, 'hall:1', 'subscribe'), false)
  equal(all.mayClient(ann, 'room:1', 'subscribe'), true)
})

test('who may subscribe may see who is present, unless the rule says who may', () => {
  const open = permissions({ subscribe: 'all' }, null)
  equal(open.mayClient(ann, 'room:1', 'presence'), true)
  equal(permissions({ subscribe: 'none' }, null).mayApp(ann, 'room:1', 'presence'), false)
  const hidden = permissions({ subscribe: 'all', seePresence: 'none' }, null)
  equal(hidden.mayClient(ann, 'room:1', 'presence'), false)
  equal(hidden.mayClient(ann, 'room:1', 'subscribe'), true)
})

test('functions get the identity, the channel and, of a route, the action', async () => {
  const asked: unknown[] = []
  const all = permissions({ publish: async (...values) => asked.push(values) > 0 }, (...values) => {
    asked.push(values)
    return true
  })
  equal(await all.mayClient(ann, 'room:1', 'publish'), true)
  deepEqual(asked, [
    [ann, 'room:1'],
    [ann, 'room:1', 'publish']
  ])
})

test('what a function throws is neither a yes nor a no, and no client can ask for an impossible channel', async () => {
  throws(() => permissions({ publish: fail }, null).mayClient(ann, 'room:1', 'publish'), /tea/)
  await rejects(async () =>
    permissions({ publish: async () => fail() }, null).mayClient(ann, 'room:1', 'publish')
  )
  throws(() => permissions(null, null).mayClient(ann, '', 'publish'), { code: 'SCZ_ERR_HUB_CHANNEL' })
  throws(() => permissions(null, null).mayClient(ann, 7 as never, 'publish'), { code: 'SCZ_ERR_HUB_CHANNEL' })
})

/** Subscribes to each message, and says what it may. */
const asking: HubRouteOptions = {
  async onMessage(socket, data) {
    await socket.subscribe(String(data))
    socket.send(`${data} ${await socket.may('publish', String(data))}`)
  }
}

test('rules hold for what the app does for a socket, on routes that ask nobody as well', async (context) => {
  const server = await startEndpoints(context, (fastify, route) => route(fastify, '/', asking))
  server.rules.set('room:*', { subscribe: 'all', publish: 'identified' })
  server.rules.set('room:secret', { subscribe: async () => false })
  const client = await connect(server, '/')
  client.send('room:1')
  client.send('hall')
  deepEqual((await messages(client, 2)).toSorted(), ['hall true', 'room:1 false'])
  const closed = closeOf(client)
  client.send('room:secret')
  deepEqual(await closed, { code: 1008, reason: 'You may not subscribe to the channel "room:secret"' })
  deepEqual([...server.hub.members[0]!.channels], ['room:1', 'hall'])
})

test('a rule that is set while a socket is open holds for what it asks for next', async (context) => {
  const server = await startEndpoints(context, (fastify, route) => route(fastify, '/', asking))
  const client = await connect(server, '/')
  client.send('room:1')
  deepEqual(await messages(client, 1), ['room:1 true'])
  server.rules.set('room:*', { subscribe: 'none' })
  const closed = closeOf(client)
  client.send('room:2')
  equal((await closed).code, 1008)
})

test('a route whose channels the rules do not allow refuses its sockets with 403', async (context) => {
  const server = await startEndpoints(context, (fastify, route) => {
    route(fastify, '/', { channels: ['room:1'] })
  })
  server.rules.set('room:*', { subscribe: 'identified' })
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`)
  const [, response] = await once(client, 'unexpected-response')
  equal(response.statusCode, 403)
  server.rules.set('room:*', { subscribe: 'all' })
  await connect(server, '/')
  deepEqual([...server.hub.members[0]!.channels], ['room:1'])
})
