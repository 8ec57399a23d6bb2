import { deepEqual, equal, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { DEFAULT_SLOW_POLICY } from '../../core/broadcast/subscriptions.ts'
import { FakeOutbox, unclosed } from '../../core/broadcast/testing/fake-outbox.ts'
import { until } from '../../core/bus/testing/reader.ts'
import { Stats } from '../metrics/stats.ts'
import { createLog } from '../log.ts'
import { HubCenter } from './hub-center.ts'
import { ThreadHub, askForLink } from './thread-hub.ts'

const log = createLog({ logFormat: 'json', logLevel: 'silent' }, null)
const centerSettings = { historyBytes: 1_000_000, idempotencyWindow: 300, idempotencyKeys: 1000 }
const settings = { adapterBufferMultiplierPerCpu: 64 }

function open(t: TestContext, threads: number): { center: HubCenter; hubs: ThreadHub[] } {
  const center = new HubCenter(() => {}, centerSettings)
  const hubs = Array.from({ length: threads }, () => new ThreadHub(center.connect(), settings, log))
  t.after(() => {
    for (const hub of hubs) hub.close()
    center.close()
  })
  return { center, hubs }
}

function join({ hub }: ThreadHub, ...channels: string[]): FakeOutbox {
  const outbox = new FakeOutbox()
  const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
  for (const channel of channels) member.subscribe(channel)
  return outbox
}

test('members of every thread get what any thread publishes', async (t) => {
  const { center, hubs } = open(t, 3)
  for (const hub of hubs) await hub.serve()
  const outboxes = hubs.map((hub) => join(hub, 'ticks'))
  await hubs[2]!.hub.publish('ticks', 1)
  await center.hub.publish('ticks', 2)
  await until(() => outboxes.every(({ data }) => data.length === 2))
  for (const { data } of outboxes) deepEqual(data, [1, 2])
  equal(center.published, 2)
})

test('the counts of all threads are added up for the primary and for each of them', async (t) => {
  const { center, hubs } = open(t, 3)
  for (const hub of hubs) await hub.serve()
  join(hubs[0]!, 'ticks', 'chat')
  join(hubs[0]!, 'ticks')
  join(hubs[1]!, 'ticks')
  const expected = new Map([
    ['ticks', 3],
    ['chat', 1]
  ])
  deepEqual(await center.channels(), expected)
  for (const hub of hubs) deepEqual(await hub.channels(), expected)
})

test('a thread that ends is not waited for', async (t) => {
  const { center, hubs } = open(t, 2)
  for (const hub of hubs) await hub.serve()
  join(hubs[0]!, 'ticks')
  join(hubs[1]!, 'ticks')
  const counts = center.channels()
  hubs[1]!.close()
  deepEqual(await counts, new Map([['ticks', 1]]))
  await rejects(hubs[1]!.channels(), { code: 'SCZ_ERR_CLOSED' })
})

test('a thread that only publishes is not asked for its counts', async (t) => {
  const { center, hubs } = open(t, 1)
  deepEqual(await center.channels(), new Map())
  deepEqual(await hubs[0]!.channels(), new Map())
})

test('a thread without a link gets one through another', async (t) => {
  const { center, hubs } = open(t, 1)
  await hubs[0]!.serve()
  const outbox = join(hubs[0]!, 'ticks')
  const pooled = new ThreadHub(await askForLink((port) => hubs[0]!.requestLink(port)), settings, log)
  t.after(() => pooled.close())
  equal((await pooled.hub.publish('ticks', 1)).offset, 1)
  await until(() => outbox.data.length === 1)
  deepEqual(await pooled.channels(), await center.channels())
})

test('the figures of the hub reach the statistics of its worker', async (t) => {
  const { hubs } = open(t, 1)
  const [hub] = hubs
  await hub!.serve()
  const stats = new Stats()
  const outbox = join(hub!, 'ticks')
  for (const data of [1, 2]) {
    await hub!.hub.publish('ticks', data)
    await until(() => outbox.data.length === data)
    hub!.measure(stats)
  }
  equal(stats.counter('hubDelivered'), 2)
  equal(stats.gauge('hubMembers'), 1)
  equal(stats.gauge('hubSubscriptions'), 1)
  equal(stats.counter('hubBytes'), 2 * (2 + '{"channel":"ticks","offset":1,"data":1}'.length))
  equal(
    stats.hubLags().counts.reduce((sum, count) => sum + count),
    2
  )
})

test('the primary knows the channels with the most deliveries, over all threads', async (t) => {
  const { center, hubs } = open(t, 2)
  for (const hub of hubs) await hub.serve()
  const outboxes = [...hubs, hubs[0]!].map((hub) => join(hub, 'ticks'))
  join(hubs[0]!, 'chat')
  for (const channel of ['ticks', 'chat', 'ticks', 'unheard']) await hubs[1]!.hub.publish(channel, 1)
  await until(() => outboxes.every(({ data }) => data.length === 2))
  for (let count = 0; count < 4; count++) for (const hub of hubs) hub.measure(new Stats())
  await until(() => center.traffic[0]?.subscribers === 3)
  deepEqual(
    center.traffic.map(({ channel, subscribers, published, delivered }) => [
      channel,
      subscribers,
      published,
      delivered
    ]),
    [
      ['ticks', 3, 2, 6],
      ['chat', 1, 1, 1]
    ]
  )
  hubs[1]!.close()
  await until(() => center.traffic[0]?.subscribers === 2)
})
