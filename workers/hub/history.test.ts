import { deepEqual, equal, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { DEFAULT_SLOW_POLICY } from '../../core/broadcast/subscriptions.ts'
import { FakeOutbox, unclosed } from '../../core/broadcast/testing/fake-outbox.ts'
import { createLog } from '../log.ts'
import { HubCenter } from './hub-center.ts'
import { ThreadHub } from './thread-hub.ts'

const log = createLog({ logFormat: 'json', logLevel: 'silent' }, null)
const centerSettings = { historyBytes: 1_000_000, idempotencyWindow: 300, idempotencyKeys: 1000 }
const settings = { adapterBufferMultiplierPerCpu: 64 }
const RULE = { history: { size: 100, age: 60 } }

function open(t: TestContext, threads: number): { center: HubCenter; hubs: ThreadHub[] } {
  const center = new HubCenter(() => {}, centerSettings)
  const hubs = Array.from({ length: threads }, () => new ThreadHub(center.connect(), settings, log))
  t.after(() => {
    for (const hub of hubs) hub.close()
    center.close()
  })
  return { center, hubs }
}

test('what is published right behind a rule is kept', async (t) => {
  const { center, hubs } = open(t, 2)
  hubs[0]!.channel('ticks', RULE)
  const published = [hubs[0]!.publish('ticks', { price: 1 }), hubs[0]!.publish('ticks', Buffer.from('b'))]
  const { epoch } = (await Promise.all(published)).at(-1)!
  for (const { hub } of [...hubs, center]) {
    const { messages, ...rest } = await hub.history('ticks')
    deepEqual(rest, { epoch, offset: 2, isComplete: true })
    deepEqual(
      messages.map(({ offset, data, isBinary }) => ({ offset, data, isBinary })),
      [
        { offset: 1, data: { price: 1 }, isBinary: false },
        { offset: 2, data: Buffer.from('b'), isBinary: true }
      ]
    )
  }
})

test('a history can be read in parts, and says what it lacks', async (t) => {
  const { hubs } = open(t, 1)
  const [{ hub }] = hubs as [ThreadHub]
  hubs[0]!.channel('ticks', { history: { size: 5, age: 60 } })
  for (let price = 1; price <= 8; price++) await hubs[0]!.publish('ticks', price)
  const { epoch } = await hub.history('none')
  const read = async (offset: number, limit: number, of: string = epoch): Promise<unknown> => {
    const { messages, isComplete } = await hub.history('ticks', { since: { epoch: of, offset }, limit })
    return [messages.map(({ data }) => data), isComplete]
  }
  deepEqual(await read(3, 10), [[4, 5, 6, 7, 8], true])
  deepEqual(await read(2, 10), [[4, 5, 6, 7, 8], false])
  deepEqual(await read(3, 2), [[4, 5], false])
  deepEqual(await read(8, 2), [[], true])
  deepEqual(await read(99, 10, 'older'), [[4, 5, 6, 7, 8], false])
  deepEqual(
    (await hub.history('ticks', { limit: 2 })).messages.map(({ data }) => data),
    [7, 8]
  )
  deepEqual(await hub.history('none'), { epoch, offset: 0, messages: [], isComplete: true })
})

test('a wrong question about the past is an error with a code', async (t) => {
  const { center, hubs } = open(t, 1)
  const [{ hub }] = hubs as [ThreadHub]
  const { epoch } = await hub.publish('ticks', 1)
  await rejects(hub.history(''), { code: 'SCZ_ERR_HUB_CHANNEL' })
  await rejects(hub.history('ticks', { limit: 0 }), { code: 'SCZ_ERR_HUB_LIMIT' })
  await rejects(hub.history('ticks', { limit: 10_001 }), { code: 'SCZ_ERR_HUB_LIMIT' })
  await rejects(hub.history('ticks', { since: { epoch, offset: -1 } }), { code: 'SCZ_ERR_HUB_SINCE' })
  await rejects(hub.history('ticks', { since: { epoch, offset: 2 } }), { code: 'SCZ_ERR_HUB_OFFSET' })
  const pending = hub.history('ticks')
  hubs[0]!.close()
  await rejects(pending, { code: 'SCZ_ERR_CLOSED' })
  await rejects(hub.history('ticks'), { code: 'SCZ_ERR_CLOSED' })
  const late = center.hub.history('ticks')
  center.close()
  await rejects(late, { code: 'SCZ_ERR_CLOSED' })
  await rejects(center.hub.history('ticks'), { code: 'SCZ_ERR_CLOSED' })
})

test('a subscriber that comes back to another thread while messages flow misses nothing', async (t) => {
  const { hubs } = open(t, 3)
  const [first, second, publisher] = hubs as [ThreadHub, ThreadHub, ThreadHub]
  for (const hub of [first, second]) await hub.serve()
  publisher.channel('ticks', { history: { size: 100_000, age: 60 } })
  const { epoch } = await publisher.publish('ticks', 0)
  const got: number[] = []
  let last = 1
  for (let round = 0; round < 20; round++) {
    const outbox = new FakeOutbox()
    const { hub } = round % 2 === 0 ? first : second
    const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
    const flow = Array.from({ length: 200 }, () => publisher.publish('ticks', 0))
    await member.subscribe('ticks', { epoch, offset: last })
    flow.push(...Array.from({ length: 50 }, () => publisher.publish('ticks', 0)))
    await Promise.all(flow.slice(0, 100))
    member.leave()
    const offsets = (outbox.messages as { offset?: number }[]).flatMap(({ offset }) => offset ?? [])
    got.push(...offsets)
    last = offsets.at(-1) ?? last
    await Promise.all(flow)
  }
  got.forEach((offset, index) => equal(offset, index + 2))
})

test('a rule that the app takes back ends the history', async (t) => {
  const { hubs } = open(t, 2)
  hubs[0]!.channel('ticks', RULE)
  await hubs[0]!.publish('ticks', 1)
  hubs[1]!.channel('ticks', {})
  await hubs[1]!.publish('ticks', 2)
  const { messages, offset, isComplete } = await hubs[0]!.hub.history('ticks')
  deepEqual({ messages, offset, isComplete }, { messages: [], offset: 2, isComplete: false })
})
