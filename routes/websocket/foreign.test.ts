import assert from 'node:assert/strict'
import { test } from 'node:test'
import websocketPlugin from '@fastify/websocket'
import { WebSocket } from 'ws'
import type { Membership } from '../../core/broadcast/subscriptions.ts'
import { textFrame } from '../../core/websocket/frames.ts'
import { closeOf, connect, messages, startEndpoints } from './testing/endpoint-server.ts'
import { attachForeign } from './foreign.ts'
import { DEFAULT_SLOW_POLICY } from '../../core/broadcast/subscriptions.ts'

test('a socket of @fastify/websocket gets frames of the hub in order with its own messages', async (context) => {
  const memberships: (Membership | null)[] = []
  const server = await startEndpoints(context, async (fastify, _route, endpoints) => {
    await fastify.register(websocketPlugin, { options: { perMessageDeflate: true } })
    void fastify.register(async (plugin) => {
      plugin.get('/foreign', { websocket: true }, (socket) => {
        memberships.push(endpoints.attachForeign(socket))
        socket.on('message', (data: Buffer) => {
          socket.send(`own ${data}`)
        })
      })
    })
  })
  const client = await connect(server, '/foreign', { perMessageDeflate: true })
  const received = messages(client, 3)
  memberships[0]!.subscribe('ticks')
  const { outbox, channels, connection } = server.hub.members[0]!
  assert.deepEqual([...channels], ['ticks'])
  outbox.send(textFrame('one'))
  outbox.send(textFrame('two'))
  client.send('three')
  assert.deepEqual(await received, ['one', 'two', 'own three'])

  const closed = closeOf(client)
  connection.close(1013, 'You are too slow')
  // After the close frame of ws, nothing may follow.
  outbox.send(textFrame('too late'))
  client.on('message', () => assert.fail('a message after the close frame'))
  assert.deepEqual(await closed, { code: 1013, reason: 'You are too slow' })
  while (!server.hub.members[0]!.hasLeft) await new Promise((resolve) => setImmediate(resolve))
})

test('a socket that is not open joins nothing', async (context) => {
  const server = await startEndpoints(context, (fastify, route) => route(fastify, '/live'))
  const client = await connect(server, '/live')
  client.terminate()
  assert.equal(attachForeign(server.hub, client, DEFAULT_SLOW_POLICY), null)
  assert.equal(client.readyState, WebSocket.CLOSING)
})
