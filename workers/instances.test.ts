import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { until } from '../core/bus/testing/reader.ts'
import { type TestServer, closeFirst, hasServer, startNats, startRedis } from '../core/bus/testing/servers.ts'
import { serve } from './serve.ts'
import type { ScherzoServer } from './server.ts'

const app = fileURLToPath(new URL('./testing/history-app.ts', import.meta.url))

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

async function start(t: TestContext, broker: string): Promise<ScherzoServer> {
  const server = await serve(app, {
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
