import { equal, rejects } from 'node:assert/strict'
import { type TestContext, test as nodeTest } from 'node:test'
import { freePort, hasServer, startRedis } from '../../core/bus/testing/servers.ts'
import { eventually } from '../testing/failover.ts'
import { join, startInstance } from '../testing/instances.ts'
import {
  admin,
  answers,
  assertOutlastsFailover,
  cutReplicas,
  follows,
  startMain,
  startShards
} from '../testing/redis-failover.ts'

const hasRedis = hasServer('redis-server')

function test(sentence: string, run: (t: TestContext) => Promise<void>): void {
  if (hasRedis) nodeTest(sentence, { timeout: 120_000 }, run)
}

test('Sentinel: when a replica takes over, channels begin anew, and nothing that is published there is lost, repeated or out of order', async (t) => {
  const failing = await startMain(t)
  await assertOutlastsFailover(t, failing, () => failing.master.stop('SIGKILL'))
})

test('Sentinel: it is the same where the replica is behind what subscribers had', async (t) => {
  const failing = await startMain(t)
  await assertOutlastsFailover(t, failing, async (flows) => {
    await cutReplicas(failing.master)
    await answers(flows, 50)
    await failing.master.stop('SIGKILL')
  })
})

test('Sentinel: instances leave a master that is replaced while it works', async (t) => {
  const failing = await startMain(t)
  await assertOutlastsFailover(t, failing, () => admin(failing.sentinel!, ['SENTINEL', 'FAILOVER', 'main']))
})

test('Sentinel: instances leave a master that works when the sentinels name another one', async (t) => {
  const { address, sentinel } = await startMain(t)
  const instance = await startInstance(t, address)
  const client = await join(instance.hubs[0]!, 'ticks')
  await instance.hubs[0]!.publish('ticks', 'before')
  const next = await startRedis(t)
  const monitor = ['SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(next.port), '1']
  await admin(sentinel!, ['SENTINEL', 'REMOVE', 'main'], monitor)
  await eventually(() =>
    instance.notices.some((notice) => notice.includes('the sentinels have another master'))
  )
  await eventually(() => instance.center.broker!.isReachable)
  const { epoch } = await instance.hubs[1]!.publish('ticks', 'after')
  await eventually(() => client.told.some(({ data }) => data === 'after'))
  equal(await admin(next, ['HGET', 'scherzo:{c:ticks}:o', 'e']), epoch)
})

test('Sentinel: one that is away is passed over, and what is wrong is one sentence at the start', async (t) => {
  const { address, sentinel } = await startMain(t)
  const [, nodes, main] = /^(.*)\/(\w+)$/.exec(address)!
  const away = await freePort()
  const instance = await startInstance(
    t,
    `redis+sentinel://127.0.0.1:${away},127.0.0.1:${sentinel!.port}/${main}`
  )
  equal((await instance.hubs[0]!.publish('ticks', 1)).offset, 1)
  await rejects(startInstance(t, `${nodes}/other`), {
    code: 'SCZ_ERR_BROKER_UNREACHABLE',
    message: /: the sentinel has no master "other"/
  })
  await rejects(startInstance(t, `redis+sentinel://127.0.0.1:${away}/main`), {
    code: 'SCZ_ERR_BROKER_UNREACHABLE',
    message: /ECONNREFUSED/
  })
})

test('Redis Cluster: when a replica takes over, by order or because its master is halted or has died, its channels begin anew, and all go on', async (t) => {
  const { address, master, replica } = await startShards(t)
  await assertOutlastsFailover(t, { address, master, replica }, () => admin(replica, ['CLUSTER', 'FAILOVER']))
  await eventually(() => follows(master))
  await assertOutlastsFailover(t, { address, master: replica, replica: master }, async () => replica.halt())
  replica.resume()
  await eventually(() => follows(replica))
  await assertOutlastsFailover(t, { address, master, replica }, async (flows) => {
    await cutReplicas(master)
    await answers(flows, 50)
    await master.stop('SIGKILL')
  })
})
