import { deepEqual, doesNotMatch, equal, match, ok, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import { hmacToken, inSeconds } from '../routes/websocket/testing/tokens.ts'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'
import { startServing } from './testing/child.ts'

const app = fileURLToPath(new URL('./testing/identity-app.ts', import.meta.url))

async function start(t: TestContext, options: ServeOptions = {}): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', closeTimeout: 1, ...options })
  t.after(() => server.close())
  return server
}

/** A client and what it gets. */
class Client {
  readonly socket: WebSocket
  readonly received: string[] = []
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(address: string, path: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(`${address.replace('http', 'ws')}${path}`, options)
    this.socket.on('message', (data) => this.received.push(String(data)))
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
  }

  async has(count: number): Promise<string[]> {
    while (this.received.length < count) await new Promise((resolve) => this.socket.once('message', resolve))
    return this.received.slice(1)
  }

  get thread(): number {
    return (JSON.parse(this.received[0]!) as { thread: number }).thread
  }
}

/** Clients of one identity, until they are on two workers. */
async function connectToBoth({ address }: ScherzoServer, id: string): Promise<Client[]> {
  const clients: Client[] = []
  const headers = { authorization: `Bearer ${hmacToken({ sub: id, exp: inSeconds(600) })}` }
  while (clients.length < 2 || new Set(clients.map(({ thread }) => thread)).size < 2) {
    const client = new Client(address, '/live', { headers })
    await client.has(1)
    clients.push(client)
  }
  return clients
}

async function ask({ address }: ScherzoServer, path: string): Promise<number> {
  return Number(await (await fetch(`${address}${path}`)).text())
}

for (const runtime of ['current_thread', 'multithread'] as const) {
  test(`the sockets of an identity are reached on all workers, from the program and the app (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 2 })
    const clients = await connectToBoth(server, 'ann')
    const count = clients.length
    const bob = (await connectToBoth(server, 'bob'))[0]!
    equal(await server.sendTo('ann', { n: 1 }), count)
    equal(await ask(server, '/send'), count)
    for (const client of clients) deepEqual(await client.has(3), ['{"data":{"n":1}}', '{"data":"hello"}'])

    equal(await ask(server, '/unsubscribe'), count)
    await server.publish('ticks', 1)
    equal(await server.sendTo('ann', 'last'), count)
    for (const client of clients) equal((await client.has(4)).at(-1), '{"data":"last"}')
    deepEqual(await bob.has(2), ['{"channel":"ticks","offset":1,"data":1}'])

    equal(await ask(server, '/disconnect'), count)
    for (const client of clients) deepEqual(await client.closed, { code: 4321, reason: 'Bye' })
    equal(await server.disconnect('ann'), 0)
    equal(await server.sendTo('ann', 1), 0)
    ok((await server.disconnect('bob')) > 0)
    deepEqual(await bob.closed, { code: 4002, reason: 'The server has disconnected you' })
  })
}

test('calls that make no sense reject with their codes, and so do all once the server is closed', async () => {
  const server = await serve(app, { port: 0, workers: 1, logLevel: 'silent' })
  await rejects(server.disconnect('ann', 1005), { code: 'SCZ_ERR_WS_CLOSE_CODE' })
  await rejects(server.sendTo('ann', 1n), { code: 'SCZ_ERR_HUB_DATA' })
  await server.close()
  await rejects(server.disconnect('ann'), { code: 'SCZ_ERR_CLOSED' })
  await rejects(server.unsubscribe('ann', 'ticks'), { code: 'SCZ_ERR_CLOSED' })
})

test('the log has why a token was refused, and never the token', async (t) => {
  const args = [app, '--workers', '1', '--log-format', 'json', '--log-level', 'trace']
  const { child, address } = await startServing(args)
  t.after(() => child.signal('SIGKILL'))
  const valid = hmacToken({ sub: 'ann', exp: inSeconds(600) })
  const expired = hmacToken({ sub: 'eve', exp: 1 })
  const wrong = hmacToken({ sub: 'eve' }, 'a secret that nobody knows about')
  const open = async (
    path: string,
    options: ClientOptions = {},
    said: string | null = null
  ): Promise<void> => {
    const client = new Client(address, path, options)
    if (said !== null) client.socket.once('open', () => client.socket.send(said))
    client.socket.once('message', () => client.socket.close())
    await client.closed
  }
  await open(`/live?token=${valid}`)
  await open('/live', { headers: { cookie: `sid=${valid}` } })
  await open('/live', {}, JSON.stringify({ token: valid }))
  for (const token of [expired, wrong]) {
    await open(`/live?token=${token}`)
    await open('/live', { headers: { authorization: `Bearer ${token}` } })
    await open('/live', {}, JSON.stringify({ token }))
  }
  // An ordinary request is logged as well.
  await fetch(`${address}/live?token=${valid}`)
  child.signal('SIGTERM')
  const { stdout, stderr } = await child.ended
  const output = stdout + stderr
  match(output, /"url":"\/live"/)
  match(output, /ERR_JWT_EXPIRED/)
  match(output, /ERR_JWS_SIGNATURE_VERIFICATION_FAILED/)
  for (const token of [valid, expired, wrong])
    for (const part of token.split('.').slice(1)) doesNotMatch(output, new RegExp(part))
})
