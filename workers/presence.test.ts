import { deepEqual, equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { PresenceView } from '../core/broadcast/testing/presence-view.ts'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'

const app = fileURLToPath(new URL('./testing/presence-app.ts', import.meta.url))

interface Told {
  readonly thread?: number
  readonly done?: string
  readonly presence?: { readonly count: number }
}

/** A client, and what it is told. */
class Client {
  readonly socket: WebSocket
  readonly told: Told[] = []
  readonly closed: Promise<readonly [number, string]>
  #wake: (() => void) | null = null

  constructor({ address }: ScherzoServer, path: string) {
    this.socket = new WebSocket(address.replace('http', 'ws') + path, { perMessageDeflate: false })
    this.socket.on('message', (data) => {
      this.told.push(JSON.parse(String(data)) as Told)
      this.#wake?.()
    })
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        resolve([code, String(reason)])
        this.#wake?.()
      })
    })
  }

  get presence(): unknown[] {
    return this.told.flatMap(({ presence }) => presence ?? [])
  }

  get view(): PresenceView {
    const view = new PresenceView()
    for (const presence of this.presence) view.take(presence)
    return view
  }

  get ids(): string[] {
    return [...(this.view.members?.keys() ?? [])].toSorted()
  }

  get thread(): number {
    return this.told[0]!.thread!
  }

  async until(isThere: () => unknown): Promise<void> {
    while (!isThere()) {
      if (this.socket.readyState > WebSocket.OPEN) throw new Error('The socket has closed meanwhile')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Resolves when the server has done it. */
  async order(action: string, channel: string): Promise<this> {
    await this.until(() => this.told.length > 0)
    const done = this.told.filter((each) => each.done === action).length
    this.send(action, channel)
    await this.until(() => this.told.filter((each) => each.done === action).length > done)
    return this
  }

  send(action: string, channel: string): void {
    this.socket.send(JSON.stringify({ do: action, channel }))
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }
}

async function start(t: TestContext, options: ServeOptions = {}): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 1, ...options })
  t.after(() => server.close())
  return server
}

async function connect(server: ScherzoServer, id: string, name?: string): Promise<Client> {
  const query = name === undefined ? '' : `&name=${name}`
  const client = new Client(server, `/live?id=${id}${query}`)
  await client.until(() => client.told.length > 0)
  return client
}

/** A client on another worker than this one. */
async function elsewhere(server: ScherzoServer, thread: number, id: string): Promise<Client> {
  for (let tries = 0; tries < 100; tries++) {
    const client = await connect(server, id)
    if (client.thread !== thread) return client
    await client.close()
  }
  throw new Error('Every connection went to the same worker')
}

for (const runtime of ['current_thread', 'multithread'] as const) {
  test(`members are identities, whatever worker their sockets are on (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 1 })
    const ada = await connect(server, 'ada', 'Ada')
    await ada.order('watch', 'room:a')
    await ada.until(() => ada.presence.length === 1)
    await ada.order('subscribe', 'room:a')
    await ada.until(() => ada.ids.length === 1)
    const bobs = [await connect(server, 'bob')]
    bobs.push(await elsewhere(server, bobs[0]!.thread, 'bob'))
    for (const bob of bobs) await bob.order('subscribe', 'room:a')
    await ada.until(() => ada.ids.length === 2)
    const expected = { count: 2, members: [{ id: 'ada', data: { name: 'Ada' } }, { id: 'bob' }] }
    deepEqual(await server.presence('room:a'), expected)
    deepEqual(await (await fetch(`${server.address}/presence/room:a`)).json(), expected)
    await bobs[0]!.order('unsubscribe', 'room:a')
    // Says something, behind what would have been told.
    await bobs[1]!.order('rename', 'Bobby')
    await ada.until(() => ada.view.members?.get('bob') !== undefined)
    await bobs[1]!.close()
    await ada.until(() => ada.ids.length === 1)
    deepEqual(ada.presence, [
      { count: 0, members: [] },
      { count: 1, joined: [{ id: 'ada', data: { name: 'Ada' } }] },
      { count: 2, joined: [{ id: 'bob' }] },
      { count: 2, joined: [{ id: 'bob', data: { name: 'Bobby' } }] },
      { count: 1, left: ['bob'] }
    ])
  })
}

test('sockets without an identity are nobody, and may watch where the app lets them', async (t) => {
  const server = await start(t)
  const nobody = new Client(server, '/anonymous')
  await once(nobody.socket, 'open')
  nobody.socket.send('room:a')
  await nobody.until(() => nobody.presence.length === 1)
  deepEqual(nobody.presence, [{ count: 0, members: [] }])
  equal((await server.channels()).get('room:a'), 1)
})

test('who is on a worker that dies leaves, who comes back in time does not, and who watched watches again', async (t) => {
  const server = await start(t)
  const ada = await connect(server, 'ada')
  const others = await Promise.all(['bob', 'cyd'].map((id) => elsewhere(server, ada.thread, id)))
  for (const other of others) await other.order('subscribe', 'slow:a')
  await ada.order('watch', 'slow:a')
  await ada.until(() => ada.ids.length === 2)
  others[0]!.send('fail', '')
  await Promise.all(others.map(({ closed }) => closed))
  const cyd = await connect(server, 'cyd')
  for (const action of ['subscribe', 'watch']) await cyd.order(action, 'slow:a')
  await ada.until(() => ada.ids.length === 1)
  deepEqual(ada.presence.at(-1), { count: 1, left: ['bob'] })
  await cyd.until(() => cyd.ids.join() === 'cyd')
  const bob = await connect(server, 'bob')
  await bob.order('subscribe', 'slow:a')
  for (const client of [ada, cyd]) await client.until(() => client.ids.join() === 'bob,cyd')
  ok(!JSON.stringify(ada.presence.slice(1)).includes('cyd'), 'cyd was away for less than the interval')
})

test('the members are right after a reload', async (t) => {
  const server = await start(t)
  const before = await connect(server, 'ada')
  for (const action of ['subscribe', 'watch']) await before.order(action, 'room:a')
  await before.until(() => before.ids.length === 1)
  await server.reload()
  await before.closed
  deepEqual(await server.presence('room:a'), { count: 0, members: [] })
  const after = await connect(server, 'bob')
  for (const action of ['subscribe', 'watch']) await after.order(action, 'room:a')
  await after.until(() => after.ids.join() === 'bob')
})

test('of a crowd only the number is told, until it is small again', async (t) => {
  const server = await start(t)
  const watcher = await connect(server, 'watcher')
  await watcher.order('watch', 'crowd')
  const crowd = await Promise.all(Array.from({ length: 20 }, (_, index) => connect(server, `${index}`)))
  await Promise.all(crowd.map((each) => each.order('subscribe', 'crowd')))
  await watcher.until(() => watcher.view.count === 20)
  deepEqual(watcher.presence.at(-1), { count: 20 })
  deepEqual(await server.presence('crowd'), { count: 20, members: null })
  await Promise.all(crowd.slice(3).map((each) => each.close()))
  await watcher.until(() => watcher.view.count === 3)
  deepEqual(watcher.ids, ['0', '1', '2'])
})

test('a client that does not read for a while is told the state when it does', async (t) => {
  const server = await start(t, { workers: 1 })
  const deaf = await connect(server, 'deaf')
  await deaf.order('watch', 'crowd')
  await deaf.order('subscribe', 'news')
  deaf.socket.pause()
  // What the kernel takes for it is in front of what is held back.
  for (let batch = 0; batch < 20; batch++)
    await Promise.all(Array.from({ length: 50 }, () => server.publish('news', 'x'.repeat(10_000))))
  const quick = await connect(server, 'quick')
  await quick.order('watch', 'crowd')
  for (let index = 0; index < 8; index++) {
    const member = await connect(server, `${index}`)
    await member.order('subscribe', 'crowd')
    await quick.until(() => quick.ids.includes(`${index}`))
    if (index % 2 === 1) continue
    await member.close()
    await quick.until(() => !quick.ids.includes(`${index}`))
  }
  const before = deaf.presence.length
  deaf.socket.resume()
  await deaf.until(() => deaf.presence.length > before)
  ok('members' in (deaf.presence[before] as object), 'the state, and not a change')
  await deaf.until(() => deaf.ids.join() === quick.ids.join())
  deepEqual(deaf.ids, ['1', '3', '5', '7'])
})

test('what an identity may not see, and a channel without the rule, end the socket with 1008', async (t) => {
  const server = await start(t)
  const curious = await connect(server, 'ada')
  curious.send('watch', 'room:closed')
  deepEqual(await curious.closed, [1008, 'You may not see who is in the channel "room:closed"'])
  for (const path of ['/live?id=ada', '/anonymous']) {
    const wrong = new Client(server, path)
    await once(wrong.socket, 'open')
    if (path === '/anonymous') wrong.socket.send('ticks')
    else wrong.send('watch', 'ticks')
    deepEqual(await wrong.closed, [
      1008,
      'Nobody knows who is in the channel "ticks": it needs a rule with presence'
    ])
  }
})

test('who is no longer to have a channel does not see who is in it either', async (t) => {
  const server = await start(t)
  const ada = await connect(server, 'ada')
  for (const action of ['subscribe', 'watch']) await ada.order(action, 'room:a')
  await ada.until(() => ada.ids.length === 1)
  equal(await server.unsubscribe('ada', 'room:a'), 1)
  const bob = await connect(server, 'bob')
  for (const action of ['subscribe', 'watch']) await bob.order(action, 'room:a')
  await bob.until(() => bob.ids.join() === 'bob')
  await ada.order('subscribe', 'news')
  deepEqual(ada.ids, ['ada'])
})
