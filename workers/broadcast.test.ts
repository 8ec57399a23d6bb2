import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'

const app = fileURLToPath(new URL('./testing/broadcast-app.ts', import.meta.url))

test('subscribers miss nothing and get nothing twice while other workers die and are replaced', async (t) => {
  const kills = 8
  const server = await start(t, { workers: 3 })
  const subscribers = await subscribe(server, '/news', 60)
  let published = 0
  let isOver = false
  const publishing = publishSteadily()
  const dead = new Set<number>()
  for (let kill = 0; kill < kills; kill++) {
    dead.add(await killOne(server))
    // Those that come later join a stream that is under way.
    subscribers.push(...(await subscribe(server, '/news', 10)))
  }
  isOver = true
  const last = await publishing
  for (const subscriber of subscribers) if (!dead.has(subscriber.thread)) await subscriber.has(last)

  for (const subscriber of subscribers) subscriber.assertWhole()
  const alive = subscribers.filter(({ thread }) => !dead.has(thread))
  ok(alive.length > 0 && alive.length < subscribers.length)
  for (const { lastOffset } of alive) equal(lastOffset, last)
  t.diagnostic(
    `${published} messages, ${alive.length} of ${subscribers.length} subscribers on workers that lived`
  )

  async function publishSteadily(): Promise<number> {
    while (!isOver) {
      for (let burst = 0; burst < 20; burst++) {
        published++
        server.publish('news', { published }).catch(() => {})
      }
      await server.publish('news', { published: ++published })
      await delay(5)
    }
    // Behind the last subscription, so that everybody has something to wait for.
    return (await server.publish('news', { published: ++published })).offset
  }
})

test('a client that stops reading is closed with 1008, costs little memory, and the others get all', async (t) => {
  const server = await start(t, { workers: 1 })
  const [reader, deaf] = [...(await subscribe(server, '/news', 1)), ...(await subscribe(server, '/news', 1))]
  const code = new Promise<number>((resolve) => deaf!.socket.once('close', resolve))
  deaf!.socket.pause()
  const before = residentMemory()
  const last = await publishMegabytes(server, 100)
  await reader!.has(last)
  const held = residentMemory() - before
  ok(held < 150_000_000, `${held} bytes more than before`)
  deaf!.socket.resume()
  equal(await code, 1008)
  reader!.assertWhole()
  deaf!.assertWhole()
})

test('a client that stops reading under the policy skip is told which messages it missed', async (t) => {
  const server = await start(t, { workers: 1 })
  const [deaf] = await subscribe(server, '/skipping', 1)
  deaf!.socket.pause()
  const last = await publishMegabytes(server, 30)
  deaf!.socket.resume()
  await deaf!.has(last)
  ok(deaf!.skipped > 0)
  equal(deaf!.received + deaf!.skipped, last)
  deepEqual(deaf!.faults, [])
})

/** A WebSocket that checks every offset. */
class Subscriber {
  readonly socket: WebSocket
  readonly faults: string[] = []
  thread = 0
  received = 0
  skipped = 0
  firstOffset = 0
  lastOffset = 0
  #wake: (() => void) | null = null

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('message', (data) => {
      this.#take(JSON.parse(String(data)))
      this.#wake?.()
    })
    socket.on('close', () => this.#wake?.())
  }

  /** Waits until the message of this offset is there, or the socket is closed. */
  async has(offset: number): Promise<void> {
    while (this.lastOffset < offset && this.socket.readyState === WebSocket.OPEN) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  assertWhole(): void {
    deepEqual(this.faults, [])
    equal(this.received, this.firstOffset === 0 ? 0 : this.lastOffset - this.firstOffset + 1)
  }

  #take(message: {
    thread?: number
    offset?: number
    skipped?: { from: number; to: number; count: number }
  }): void {
    if (message.thread !== undefined) {
      this.thread = message.thread
    } else if (message.skipped !== undefined) {
      const { from, to, count } = message.skipped
      if (from !== this.lastOffset + 1 || count !== to - from + 1) this.faults.push(JSON.stringify(message))
      this.skipped += count
      this.lastOffset = to
    } else if (message.offset !== undefined) {
      if (this.firstOffset === 0) this.firstOffset = message.offset
      else if (message.offset !== this.lastOffset + 1)
        this.faults.push(`${message.offset} after ${this.lastOffset}`)
      this.received++
      this.lastOffset = message.offset
    }
  }
}

/** Makes a worker die and waits until as many are there as before. Gives its thread. */
async function killOne(server: ScherzoServer): Promise<number> {
  const thread = Number(await (await fetch(`${server.address}/fail`)).text())
  const { workers } = server
  const alive = new Set<number>()
  while (alive.size < workers || alive.has(thread)) {
    alive.clear()
    for (let count = 0; count < 8 * workers; count++) {
      const response = await fetch(`${server.address}/thread`, { headers: { connection: 'close' } }).catch(
        () => null
      )
      if (response !== null) alive.add(Number(await response.text()))
    }
  }
  return thread
}

async function start(t: TestContext, options: ServeOptions): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, logLevel: 'silent', drainTimeout: 1, ...options })
  t.after(() => server.close())
  return server
}

async function subscribe(server: ScherzoServer, path: string, count: number): Promise<Subscriber[]> {
  const sockets = Array.from(
    { length: count },
    () => new WebSocket(server.address.replace('http', 'ws') + path, { perMessageDeflate: false })
  )
  const subscribers = sockets.map((socket) => new Subscriber(socket))
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve).once('error', resolve)))
  )
  return subscribers.filter(({ socket }) => socket.readyState === WebSocket.OPEN)
}

/** Gives the last offset. */
async function publishMegabytes(server: ScherzoServer, megabytes: number): Promise<number> {
  const data = 'x'.repeat(10_000)
  let last = 0
  for (let batch = 0; batch < megabytes; batch++) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => server.publish('news', data)))
    last = answers.at(-1)!.offset
    // The reader shares this thread with the publisher, and has to keep up.
    await delay(5)
  }
  return last
}

function residentMemory(): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kibibytes) * 1024
}
