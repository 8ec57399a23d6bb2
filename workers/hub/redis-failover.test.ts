import { equal, ok, rejects } from 'node:assert/strict'
import { type TestContext, test as nodeTest } from 'node:test'
import { createClient } from '@redis/client'
import {
  type TestServer,
  freePort,
  hasServer,
  startRedis,
  startRedisCluster,
  startReplica,
  startSentinel
} from '../../core/bus/testing/servers.ts'
import { Flow, assertAgreement, eventually } from '../testing/failover.ts'
import { join, startInstance } from '../testing/instances.ts'

const hasRedis = hasServer('redis-server')
const RULE = { history: { size: 100_000, age: 600 } }

function test(sentence: string, run: (t: TestContext) => Promise<void>): void {
  if (hasRedis) nodeTest(sentence, { timeout: 120_000 }, run)
}

/** What an administrator does, one command after the other. */
async function admin({ port }: TestServer, ...commands: string[][]): Promise<unknown> {
  const client = createClient({ url: `redis://127.0.0.1:${port}` })
  client.on('error', () => {})
  await client.connect()
  let answer: unknown = null
  for (const command of commands) answer = await client.sendCommand(command)
  client.destroy()
  return answer
}

async function follows(replica: TestServer): Promise<boolean> {
  return String(await admin(replica, ['INFO', 'replication'])).includes('master_link_status:up')
}

/** Who is connected stays so, but a replica that is cut doesn't come in again. */
async function cutReplicas(master: TestServer): Promise<void> {
  await admin(master, ['CONFIG', 'SET', 'requirepass', 'x'], ['CLIENT', 'KILL', 'TYPE', 'replica'])
}

interface Failing {
  readonly address: string
  readonly master: TestServer
  readonly replica: TestServer
  readonly sentinel?: TestServer
}

async function startMain(t: TestContext): Promise<Failing> {
  const master = await startRedis(t, '--repl-diskless-sync-delay', '0')
  const replica = await startReplica(t, master)
  await eventually(() => follows(replica))
  const sentinel = await startSentinel(t, master)
  await eventually(async () => {
    const known = JSON.stringify(await admin(sentinel, ['SENTINEL', 'REPLICAS', 'main']))
    return known.includes(`127.0.0.1:${replica.port}`) && known.includes('"ok"')
  })
  return { address: `redis+sentinel://127.0.0.1:${sentinel.port}/main`, master, replica, sentinel }
}

async function startShards(t: TestContext): Promise<Failing> {
  const nodes = await startRedisCluster(t, 3, 1)
  for (const replica of nodes.slice(3)) await eventually(() => follows(replica))
  const slot = Number(await admin(nodes[0]!, ['CLUSTER', 'KEYSLOT', 'scherzo:{c:ticks}']))
  const at = (entry: unknown): TestServer =>
    nodes.find(({ port }) => port === (entry as [string, number])[1])!
  // All have to know by now who would stand in for whom.
  let found: [TestServer, TestServer] | null = null
  await eventually(async () => {
    for (const node of nodes) {
      const slots = (await admin(node, ['CLUSTER', 'SLOTS'])) as [number, number, unknown, unknown][]
      const range = slots.find(([from, to]) => from <= slot && slot <= to)
      if (slots.some((each) => each.length < 4) || range === undefined) return false
      found = [at(range[2]), at(range[3])]
    }
    return true
  })
  const [master, replica] = found!
  return {
    address: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    master,
    replica
  }
}

/** Two instances that publish without a break, with a subscriber each, while the replica takes the master's place. */
async function assertOutlastsFailover(
  t: TestContext,
  { address, replica }: Failing,
  failOver: (flows: readonly Flow[]) => Promise<unknown>
): Promise<void> {
  const one = await startInstance(t, address, { timeout: 60 })
  const other = await startInstance(t, address, { timeout: 60 })
  for (const hub of [...one.hubs, ...other.hubs]) hub.channel('ticks', RULE)
  const start = await one.hubs[0]!.publish('ticks', 'first')
  const members = [await join(one.hubs[0]!, 'ticks'), await join(other.hubs[1]!, 'ticks')]
  const flows = [new Flow(one, 'ticks', 'one'), new Flow(other, 'ticks', 'other')]
  t.after(() => Promise.all(flows.map((flow) => flow.end())))
  await answers(flows, 50)
  await failOver(flows)
  // More than was lost: offsets of the old epoch would have been given out again and overtaken.
  await eventually(() => flows.every((flow) => flow.countBeside(start.epoch) >= 200))
  await Promise.all(flows.map((flow) => flow.end()))
  await one.hubs[0]!.publish('ticks', 'last')
  await eventually(() => members.every(({ told }) => told.some(({ data }) => data === 'last')))
  equal(assertAgreement('ticks', start, members, flows).length, 2)
  for (const code of flows.flatMap(({ refused }) => refused)) equal(code, 'SCZ_ERR_BROKER_LOST')
  await eventually(() => one.center.broker!.isReachable && other.center.broker!.isReachable)
  ok(String(await admin(replica, ['INFO', 'replication'])).includes('role:master'))
}

/** Resolves when each has so many answers more. */
async function answers(flows: readonly Flow[], count: number): Promise<void> {
  const before = flows.map(({ answered }) => answered.length)
  await eventually(() => flows.every(({ answered }, index) => answered.length >= before[index]! + count))
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

test('Redis Cluster: when a replica takes over, by order or because its master has died, its channels begin anew, and all go on', async (t) => {
  const { address, master, replica } = await startShards(t)
  await assertOutlastsFailover(t, { address, master, replica }, () => admin(replica, ['CLUSTER', 'FAILOVER']))
  await eventually(() => follows(master))
  await assertOutlastsFailover(t, { address, master: replica, replica: master }, async (flows) => {
    await cutReplicas(replica)
    await answers(flows, 50)
    await replica.stop('SIGKILL')
  })
})
