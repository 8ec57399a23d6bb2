import { deepEqual, equal } from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TestServer, hasServer, startNats, startRedis } from '../../core/bus/testing/servers.ts'
import { Ledger } from './ledger.ts'
import { Pair } from './pair.ts'
import { Publisher } from './publisher.ts'
import { Subscriber } from './subscriber.ts'

const CLIENTS = Number(process.env['HOP_CLIENTS'] ?? 60)
/** About as long. */
const SECONDS = Number(process.env['HOP_SECONDS'] ?? 5)
const RESTART_SECONDS = Number(process.env['HOP_RESTART_SECONDS'] ?? 2)
/** A second, roughly. */
const MESSAGES = Number(process.env['HOP_MESSAGES'] ?? 40)

const PUBLISHERS = 2
/** How often each client hops, in seconds. */
const HOP_SECONDS = Math.max(1, SECONDS / 6)
const CHANNEL = 'room:a'

function testHopping(name: string, startBroker: (t: TestContext) => Promise<TestServer>): void {
  test(`${name}: clients that hop between two instances, one of which restarts again and again, end with every message, in order, once`, async (t) => {
    const { port } = await startBroker(t)
    const pair = new Pair(`${name.toLowerCase()}://127.0.0.1:${port}`)
    t.after(() => pair.stop())
    await pair.start()

    const ledger = new Ledger()
    const publishers = Array.from(
      { length: PUBLISHERS },
      (_, index) => new Publisher(pair, `publisher-${index}`, CHANNEL, ledger)
    )
    const visits = publishers.map((publisher) => publisher.run())
    const { epoch } = await publishers[0]!.publishForSure()
    const subscribers = Array.from(
      { length: CLIENTS },
      (_, index) => new Subscriber(pair, `client-${index}`, CHANNEL, epoch, ledger)
    )
    visits.push(...subscribers.map((subscriber) => subscriber.run()))
    t.after(() => {
      for (const visitor of [...publishers, ...subscribers]) visitor.end()
    })

    let isOver = false
    const flow = publishers.map((publisher) =>
      publisher.publishUntil(() => isOver, (1000 * PUBLISHERS) / MESSAGES)
    )
    const hops = hopUntil([...publishers, ...subscribers], () => isOver)
    for (let restart = 0; restart < Math.max(2, SECONDS / RESTART_SECONDS); restart++) {
      await Promise.all([sleep(RESTART_SECONDS * 1000), pair.restartNext()])
    }
    isOver = true
    await Promise.all([...flow, hops])

    const { offset: last } = await publishers[0]!.publishForSure()
    while (ledger.faults.length === 0 && subscribers.some(({ offset }) => offset < last)) await sleep(20)
    for (const visitor of [...publishers, ...subscribers]) visitor.end()
    await Promise.all(visits)
    deepEqual(ledger.faults, [])
    deepEqual([...new Set(subscribers.map(({ offset }) => offset))], [last])
    equal(ledger.repeated, 0)
    const visited = subscribers.reduce((sum, { visits: count }) => sum + count, 0)
    t.diagnostic(`${CLIENTS} clients had ${last} messages each, by ${visited} connections`)
  })
}

async function hopUntil(visitors: readonly { hop: () => void }[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await sleep((HOP_SECONDS * 1000) / visitors.length)
    visitors[Math.floor(Math.random() * visitors.length)]!.hop()
  }
}

if (hasServer('redis-server')) testHopping('Redis', (t) => startRedis(t))
if (hasServer('nats-server')) testHopping('NATS', (t) => startNats(t))
