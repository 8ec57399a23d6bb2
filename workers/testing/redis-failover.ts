import { equal, ok } from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createClient } from '@redis/client'
import {
  type TestServer,
  startRedis,
  startRedisCluster,
  startReplica,
  startSentinel
} from '../../core/bus/testing/servers.ts'
import { Flow, assertAgreement, eventually } from './failover.ts'
import { join, startInstance } from './instances.ts'

const RULE = { history: { size: 100_000, age: 600 } }

/** What an administrator does, one command after the other. */
export async function admin({ port }: TestServer, ...commands: string[][]): Promise<unknown> {
  const client = createClient({ url: `redis://127.0.0.1:${port}` })
  client.on('error', () => {})
  await client.connect()
  let answer: unknown = null
  for (const command of commands) answer = await client.sendCommand(command)
  client.destroy()
  return answer
}

export async function follows(replica: TestServer): Promise<boolean> {
  return String(await admin(replica, ['INFO', 'replication'])).includes('master_link_status:up')
}

/** Who is connected stays so, but a replica that is cut doesn't come in again. */
export async function cutReplicas(master: TestServer): Promise<void> {
  await admin(master, ['CONFIG', 'SET', 'requirepass', 'x'], ['CLIENT', 'KILL', 'TYPE', 'replica'])
}

export interface Failing {
  readonly address: string
  readonly master: TestServer
  readonly replica: TestServer
  readonly sentinel?: TestServer
}

export async function startMain(t: TestContext): Promise<Failing> {
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

export async function startShards(t: TestContext): Promise<Failing> {
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
export async function assertOutlastsFailover(
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
export async function answers(flows: readonly Flow[], count: number): Promise<void> {
  const before = flows.map(({ answered }) => answered.length)
  await eventually(() => flows.every(({ answered }, index) => answered.length >= before[index]! + count))
}
