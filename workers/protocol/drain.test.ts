import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { ProtocolClient } from '../../routes/protocol/testing/protocol-client.ts'
import { serve } from '../serve.ts'
import type { ScherzoServer } from '../server.ts'

const app = fileURLToPath(new URL('../testing/protocol-app.ts', import.meta.url))

async function start(t: TestContext): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 1, logLevel: 'silent', drainTimeout: 1 })
  t.after(() => server.close())
  return server
}

function open(server: ScherzoServer, path = '/live'): Promise<ProtocolClient> {
  return ProtocolClient.open(server.address + path, { headers: { 'x-user': 'ada' } })
}

/** What the server's last message said. */
async function drainOf(client: ProtocolClient): Promise<{ reconnect: string; after: number }> {
  deepEqual(await client.closed, { code: 1001, reason: 'The server is going away' })
  return client.told.at(-1)!['drain'] as { reconnect: string; after: number }
}

test('a reload tells clients to come back now, and they are served at once', async (t) => {
  const server = await start(t)
  const client = await open(server)
  await client.ask('subscribe', { channel: 'room:1' })
  const { epoch } = await server.publish('room:1', 1)
  const reload = server.reload()
  const { reconnect, after } = await drainOf(client)
  equal(reconnect, 'now')
  ok(after >= 0 && after < 1000)
  const back = await open(server)
  const { ok: place } = await back.ask('subscribe', { channel: 'room:1', since: { epoch, offset: 0 } })
  deepEqual(place, { epoch, offset: 1, count: 1, lost: null })
  back.socket.close()
  await reload
})

test('a server that closes tells clients to come back later, each at another time', async (t) => {
  const server = await start(t)
  const clients = await Promise.all(Array.from({ length: 8 }, () => open(server)))
  const closed = server.close()
  const drains = await Promise.all(clients.map(drainOf))
  for (const { reconnect, after } of drains) {
    equal(reconnect, 'later')
    ok(after >= 1000 && after < 2000)
  }
  ok(new Set(drains.map(({ after }) => after)).size > 1)
  await closed
})

test('only those who speak the protocol are told, and only behind the greeting', async (t) => {
  const server = await start(t)
  const awaited = await open(server, '/token')
  const plain = new WebSocket(`${server.address.replace('http', 'ws')}/closed`)
  let received = 0
  plain.on('message', () => received++)
  await new Promise((resolve) => plain.once('open', resolve))
  const ended = new Promise((resolve) => plain.once('close', resolve))
  const closed = server.close()
  equal(await ended, 1001)
  equal(received, 0)
  equal((await awaited.closed).code, 1001)
  equal(awaited.told.length, 0)
  await closed
})

test('requests that are under way when the server closes end with it', async (t) => {
  const server = await start(t)
  const client = await open(server)
  client.post('subscribe', { channel: 'later:60000' })
  await client.ask('authenticate')
  const closed = server.close()
  await drainOf(client)
  await closed
})
