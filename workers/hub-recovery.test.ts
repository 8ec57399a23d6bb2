import { deepEqual, equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import type { Since } from '../core/broadcast/since.ts'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'

const app = fileURLToPath(new URL('./testing/history-app.ts', import.meta.url))

interface Told {
  readonly thread?: number
  readonly outcome?: number
  readonly offset?: number
  readonly epoch?: string
  readonly error?: string
  readonly subscribed?: Since
  readonly lost?: { readonly from: number; readonly to: number }
}

/** A client that notes what it is told. */
class Client {
  readonly socket: WebSocket
  readonly told: Told[] = []
  #wake: (() => void) | null = null

  constructor(server: ScherzoServer) {
    this.socket = new WebSocket(`${server.address.replace('http', 'ws')}/back`)
    this.socket.on('message', (data) => {
      this.told.push(JSON.parse(String(data)) as Told)
      this.#wake?.()
    })
  }

  get offsets(): number[] {
    return this.told.flatMap(({ offset }) => offset ?? [])
  }

  get notices(): Told[] {
    return this.told.filter(({ lost }) => lost !== undefined)
  }

  async until(isThere: () => unknown): Promise<void> {
    while (!isThere()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Subscribes, and waits until the client is level. */
  async subscribe(channel: string, since: Since | null): Promise<Since> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open')
    this.socket.send(JSON.stringify({ channel, since }))
    await this.until(() => this.told.some(({ outcome }) => outcome !== undefined))
    return this.told.find(({ subscribed }) => subscribed !== undefined)!.subscribed!
  }

  async thread(): Promise<number> {
    await this.until(() => this.told.length > 0)
    return this.told[0]!.thread!
  }

  async close(): Promise<void> {
    this.socket.close()
    await once(this.socket, 'close')
  }
}

async function start(t: TestContext, options: ServeOptions = {}): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 1, ...options })
  t.after(() => server.close())
  return server
}

/** A client on another worker than this. */
async function elsewhere(server: ScherzoServer, thread: number): Promise<Client> {
  for (let tries = 0; tries < 100; tries++) {
    const client = new Client(server)
    if ((await client.thread()) !== thread) return client
    await client.close()
  }
  throw new Error('Every connection went to the same worker')
}

async function publish(server: ScherzoServer, channel: string, count: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: count }, () => server.publish(channel, 'x')))
  return all.at(-1)!.offset
}

test('a client that comes back on the other worker while messages flow misses nothing and gets nothing twice', async (t) => {
  const server = await start(t)
  const { epoch } = await server.publish('room:a', 'x')
  let isOver = false
  const flow = (async () => {
    let last = 0
    while (!isOver) {
      last = await publish(server, 'room:a', 20)
      await delay(1)
    }
    return last
  })()
  const got: number[] = []
  let thread = 0
  for (let comeback = 0; comeback < 12; comeback++) {
    const client = await elsewhere(server, thread)
    thread = await client.thread()
    await client.subscribe('room:a', { epoch, offset: got.length })
    const enough = client.offsets.length + 30
    await client.until(() => client.offsets.length >= enough)
    await client.close()
    got.push(...client.offsets)
  }
  isOver = true
  const last = await flow
  const client = new Client(server)
  await client.subscribe('room:a', { epoch, offset: got.length })
  await client.until(() => got.length + client.offsets.length === last)
  got.push(...client.offsets)
  got.forEach((offset, index) => equal(offset, index + 1))
  await client.close()
})

test('a client learns the epoch and the offset, and which messages are lost', async (t) => {
  const server = await start(t)
  const { epoch } = await server.publish('room:short', 'x')
  await publish(server, 'room:short', 19)
  const fresh = new Client(server)
  deepEqual(await fresh.subscribe('room:short', null), { epoch, offset: 20 })
  const late = new Client(server)
  await late.subscribe('room:short', { epoch, offset: 3 })
  deepEqual(late.notices, [{ channel: 'room:short', lost: { from: 4, to: 15 } }])
  const stranger = new Client(server)
  await stranger.subscribe('room:short', { epoch: 'of yesterday', offset: 3 })
  deepEqual(stranger.notices, [{ channel: 'room:short', epoch, lost: { from: 1, to: 20 } }])
  const dreamer = new Client(server)
  await dreamer.subscribe('room:short', { epoch, offset: 21 })
  deepEqual(dreamer.notices, [
    { channel: 'room:short', error: 'SCZ_ERR_HUB_OFFSET', lost: { from: 1, to: 20 } }
  ])
  await publish(server, 'room:short', 1)
  const all = [fresh, late, stranger, dreamer]
  for (const client of all) await client.until(() => client.offsets.at(-1) === 21)
  deepEqual(late.offsets, [16, 17, 18, 19, 20, 21])
  for (const client of [fresh, stranger, dreamer]) deepEqual(client.offsets, [21])
  for (const client of all) await client.close()
})

test('the history is still there when the workers have been reloaded', async (t) => {
  const server = await start(t, { runtime: 'multithread', poolThreads: 1 })
  const { epoch } = await server.publish('room:a', 'x')
  await publish(server, 'room:a', 9)
  await server.reload()
  const client = new Client(server)
  await client.subscribe('room:a', { epoch, offset: 4 })
  await client.until(() => client.offsets.length === 6)
  deepEqual(client.offsets, [5, 6, 7, 8, 9, 10])
  await client.close()
  const { messages, isComplete } = await server.history('room:a')
  deepEqual([messages.length, isComplete], [10, true])
  const response = await fetch(`${server.address}/history/room:a`)
  const { threadId, ...pooled } = (await response.json()) as { threadId: number }
  deepEqual(pooled, { epoch, offset: 10, isComplete: true, count: 10 })
  ok(threadId > 0)
})

test('the epoch of one server is not that of another', async (t) => {
  const servers = [await start(t, { workers: 1 }), await start(t, { workers: 1 })]
  const epochs = await Promise.all(servers.map((server) => server.history('room:a')))
  ok(epochs[0]!.epoch !== epochs[1]!.epoch)
})
