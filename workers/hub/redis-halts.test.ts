import { equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'
import { type TestContext, test as nodeTest } from 'node:test'
import { hasServer, startRedis } from '../../core/bus/testing/servers.ts'
import { eventually } from '../testing/failover.ts'
import { join, startInstance } from '../testing/instances.ts'
import { admin, assertOutlastsFailover, startMain } from '../testing/redis-failover.ts'

const hasRedis = hasServer('redis-server')

function test(sentence: string, run: (t: TestContext) => Promise<void>): void {
  if (hasRedis) nodeTest(sentence, { timeout: 120_000 }, run)
}

interface Mute {
  readonly port: number
  /** How often somebody has said hello; sentinels don't. */
  greeted: number
}

/** Takes connections, and never says anything: so it looks from outside when a server is halted. */
async function startMute(t: TestContext): Promise<Mute> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}))
    socket.on('data', (chunk) => {
      if (chunk.includes('HELLO')) mute.greeted++
    })
  })
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const mute = { port: (server.address() as AddressInfo).port, greeted: 0 }
  return mute
}

test('Sentinel: instances leave a master that is halted, though a sentinel is halted as well', async (t) => {
  const failing = await startMain(t)
  const { port } = await startMute(t)
  const address = `redis+sentinel://127.0.0.1:${port},127.0.0.1:${failing.sentinel!.port}/main`
  await assertOutlastsFailover(t, { ...failing, address }, async () => failing.master.halt())
})

test('Sentinel: one that is halted is asked again and again, and the broker does not count as gone', async (t) => {
  const { address } = await startMain(t)
  const mute = await startMute(t)
  const instance = await startInstance(t, address.replace('/main', `,127.0.0.1:${mute.port}/main`))
  await eventually(() => {
    ok(instance.center.broker!.isReachable)
    return mute.greeted >= 2
  })
  equal(instance.center.broker!.reconnects, 0)
  equal((await instance.hubs[0]!.publish('ticks', 1)).offset, 1)
})

test('Sentinel: a new master that is halted is tried again, until the sentinels name another one', async (t) => {
  const { address, sentinel } = await startMain(t)
  const mute = await startMute(t)
  const next = await startRedis(t)
  const instance = await startInstance(t, address, { timeout: 60 })
  const name = async ({ port }: { readonly port: number }): Promise<unknown> =>
    admin(
      sentinel!,
      ['SENTINEL', 'REMOVE', 'main'],
      ['SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(port), '1']
    )
  await name(mute)
  await eventually(() => instance.notices.length > 0)
  await eventually(() => mute.greeted >= 2)
  const meanwhile = instance.hubs[0]!.publish('ticks', 'meanwhile')
  await name(next)
  const { epoch } = await meanwhile
  equal(await admin(next, ['HGET', 'scherzo:{c:ticks}:o', 'e']), epoch)
})

test('Redis that is halted for long is cut, and connected to anew when it goes on', async (t) => {
  const server = await startRedis(t)
  const instance = await startInstance(t, `redis://127.0.0.1:${server.port}`, { timeout: 60 })
  for (const hub of instance.hubs) hub.channel('ticks', { history: { size: 100, age: 600 } })
  const client = await join(instance.hubs[0]!, 'ticks')
  await instance.hubs[0]!.publish('ticks', 'before')
  server.halt()
  const underWay = instance.hubs[0]!.publish('ticks', 'under way').catch(({ code }: { code: string }) => code)
  await eventually(() => instance.notices.some((notice) => notice.includes('does not answer')))
  equal(await underWay, 'SCZ_ERR_BROKER_LOST')
  const meanwhile = instance.hubs[1]!.publish('ticks', 'meanwhile')
  server.resume()
  await meanwhile
  await eventually(() => client.told.some(({ data }) => data === 'meanwhile'))
  await eventually(() => instance.center.broker!.isReachable)
})
