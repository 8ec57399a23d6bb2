import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import type { HubPresence } from '../core/broadcast/presence-reading.ts'
import { PresenceView } from '../core/broadcast/testing/presence-view.ts'
import { until } from '../core/bus/testing/reader.ts'
import { type TestServer, closeFirst, hasServer, startNats, startRedis } from '../core/bus/testing/servers.ts'
import { serve } from './serve.ts'
import type { ScherzoServer } from './server.ts'
import { type Child, startServing } from './testing/child.ts'

const app = fileURLToPath(new URL('./testing/history-app.ts', import.meta.url))
const presenceApp = fileURLToPath(new URL('./testing/presence-app.ts', import.meta.url))

interface Told {
  readonly offset?: number
  readonly outcome?: number
}

class Client {
  readonly socket: WebSocket
  readonly told: Told[] = []

  constructor({ address }: ScherzoServer) {
    this.socket = new WebSocket(`${address.replace('http', 'ws')}/back`)
    this.socket.on('message', (data) => void this.told.push(JSON.parse(String(data)) as Told))
  }

  get offsets(): number[] {
    return this.told.flatMap(({ offset }) => offset ?? [])
  }

  async subscribe(channel: string, epoch: string, offset: number): Promise<void> {
    await once(this.socket, 'open')
    this.socket.send(JSON.stringify({ channel, since: { epoch, offset } }))
    await until(() => this.told.some(({ outcome }) => outcome !== undefined))
  }

  async close(): Promise<void> {
    this.socket.close()
    await once(this.socket, 'close')
  }
}

/** A client of the app of the tests of presence, in the channel room:a or watching it. */
class PresenceClient {
  readonly socket: WebSocket
  readonly #view = new PresenceView()
  readonly left: string[] = []
  #isDone = false

  constructor(address: string, id: string) {
    this.socket = new WebSocket(`${address.replace('http', 'ws')}/live?id=${id}`)
    this.socket.on('error', () => {})
    this.socket.on('message', (data) => {
      const { presence, done } = JSON.parse(String(data)) as {
        readonly presence?: { readonly left?: readonly string[] }
        readonly done?: string
      }
      if (presence !== undefined) this.#view.take(presence)
      this.left.push(...(presence?.left ?? []))
      if (done !== undefined) this.#isDone = true
    })
  }

  static async open(address: string, id: string, action: 'subscribe' | 'watch'): Promise<PresenceClient> {
    const client = new PresenceClient(address, id)
    await once(client.socket, 'open')
    client.socket.send(JSON.stringify({ do: action, channel: 'room:a' }))
    await until(() => client.#isDone)
    return client
  }

  get ids(): string[] {
    return [...(this.#view.members?.keys() ?? [])].toSorted()
  }

  async close(): Promise<void> {
    this.socket.close()
    await once(this.socket, 'close')
  }
}

async function presenceAt(address: string): Promise<string[]> {
  const { members } = (await (await fetch(`${address}/presence/room:a`)).json()) as HubPresence
  return members!.map(({ id }) => id).toSorted()
}

/** A server in a process of its own, which can be killed. */
async function startChild(
  t: TestContext,
  broker: string
): Promise<{ readonly child: Child; readonly address: string }> {
  const { child, address } = await startServing([presenceApp, '--workers', '2', '--broker', broker])
  closeFirst(t, async () => {
    child.signal('SIGKILL')
    await child.ended
  })
  return { child, address }
}

async function start(t: TestContext, broker: string, servedApp: string = app): Promise<ScherzoServer> {
  const server = await serve(servedApp, {
    port: 0,
    workers: 2,
    logLevel: 'silent',
    drainTimeout: 1,
    admin: '127.0.0.1:0',
    broker,
    brokerTimeout: 10
  })
  closeFirst(t, () => server.close())
  return server
}

async function probe({ adminAddress }: ScherzoServer): Promise<string> {
  return (await fetch(`${adminAddress}/readyz`)).text()
}

function testServers(
  name: string,
  startBroker: (t: TestContext) => Promise<readonly [TestServer, string]>
): void {
  test(`${name}: clients that hop between two servers while messages flow get every message once, in order`, async (t) => {
    const [, address] = await startBroker(t)
    const servers = [await start(t, address), await start(t, address)] as const
    const { epoch } = await servers[0].publish('room:a', 0)
    let last = 1
    let isOver = false
    const flow = (async () => {
      while (!isOver) {
        const all = Array.from({ length: 20 }, (_, index) =>
          servers[(index % 2) as 0 | 1].publish('room:a', index)
        )
        for (const { offset } of await Promise.all(all)) last = Math.max(last, offset)
      }
    })()
    const got: number[] = [1]
    for (let hop = 0; hop < 10; hop++) {
      const client = new Client(servers[(hop % 2) as 0 | 1])
      await client.subscribe('room:a', epoch, got.length)
      const enough = client.offsets.length + 20
      await until(() => client.offsets.length >= enough)
      await client.close()
      got.push(...client.offsets)
    }
    isOver = true
    await flow
    const client = new Client(servers[0])
    await client.subscribe('room:a', epoch, got.length)
    await until(() => got.length + client.offsets.length === last)
    got.push(...client.offsets)
    got.forEach((offset, index) => equal(offset, index + 1))
    await client.close()
  })

  test(`${name}: who is in a channel is known at two servers, and goes with the one that is killed`, async (t) => {
    const [, address] = await startBroker(t)
    const server = await start(t, address, presenceApp)
    const { child, address: other } = await startChild(t, address)
    const watcher = await PresenceClient.open(server.address, 'watcher', 'watch')
    const here = await PresenceClient.open(server.address, 'ada', 'subscribe')
    await PresenceClient.open(other, 'ada', 'subscribe')
    await PresenceClient.open(other, 'bob', 'subscribe')
    await until(() => watcher.ids.join() === 'ada,bob')
    deepEqual(await presenceAt(other), ['ada', 'bob'])
    const late = await PresenceClient.open(other, 'late', 'watch')
    await until(() => late.ids.join() === 'ada,bob')
    await here.close()
    // Says something, behind what would have been told.
    const cyd = await PresenceClient.open(server.address, 'cyd', 'subscribe')
    await until(() => watcher.ids.join() === 'ada,bob,cyd')
    child.signal('SIGKILL')
    await until(() => watcher.ids.join() === 'cyd')
    deepEqual(await presenceAt(server.address), ['cyd'])
    // Ada was there until then.
    deepEqual(watcher.left.toSorted(), ['ada', 'bob'])
    const again = await PresenceClient.open((await startChild(t, address)).address, 'watcher', 'watch')
    await until(() => again.ids.join() === 'cyd')
    for (const client of [watcher, cyd, again]) await client.close()
  })

  test(`${name}: probes are told when the broker is gone and when it is back`, async (t) => {
    const [broker, address] = await startBroker(t)
    const server = await start(t, address)
    equal(await probe(server), 'ready')
    await broker.stop()
    while ((await probe(server)) !== 'the broker does not answer')
      await new Promise((resolve) => setTimeout(resolve, 20))
    match(await (await fetch(`${server.adminAddress}/metrics`)).text(), /^scherzo_broker_up 0$/m)
    await broker.start()
    while ((await probe(server)) !== 'ready') await new Promise((resolve) => setTimeout(resolve, 20))
    const { broker: status } = (await (await fetch(`${server.adminAddress}/status`)).json()) as Record<
      string,
      unknown
    >
    deepEqual(
      [(status as { name: string }).name, (status as { isReachable: boolean }).isReachable],
      [address, true]
    )
  })
}

if (hasServer('redis-server')) {
  testServers('Redis', async (t) => {
    const server = await startRedis(t)
    return [server, `redis://127.0.0.1:${server.port}`]
  })
}
if (hasServer('nats-server')) {
  testServers('NATS', async (t) => {
    const server = await startNats(t)
    return [server, `nats://127.0.0.1:${server.port}`]
  })
}

test('an address that makes no sense is one sentence, without its password', async () => {
  await rejects(serve(app, { broker: 'redis://ada:secret@here:there' }), {
    code: 'SCZ_ERR_SETTING',
    message: /^Invalid value "redis:\/\/\*\*\*@here:there" for broker: use /
  })
})
