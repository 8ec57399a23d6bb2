import { deepEqual, equal, rejects } from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import type { LogRecord } from '../bus/bus.ts'
import type { ChannelRule } from './channel-rules.ts'
import type { Hub } from './hub.ts'
import type { Membership, SlowPolicy } from './subscriptions.ts'
import { FakeBus, createHub } from './testing/fake-bus.ts'
import { FakeOutbox } from './testing/fake-outbox.ts'

interface Slow {
  readonly bus: FakeBus
  readonly hub: Hub
  readonly outbox: FakeOutbox
  readonly member: Membership
  readonly closed: string[]
}

/** A member that has stalled, with `a` under its own policy and `b` under the rule. */
function createStalled(own: SlowPolicy['policy'], slow: NonNullable<ChannelRule['slow']>): Slow {
  const { bus, hub } = createHub()
  hub.setRule('b', { slow })
  const outbox = new FakeOutbox()
  const closed: string[] = []
  const policy = { policy: own, maxBytes: 1000, maxAge: 30_000 }
  const member = hub.join(outbox, policy, { close: (_code, reason) => closed.push(reason) })
  member.subscribe('a')
  member.subscribe('b')
  outbox.stall()
  return { bus, hub, outbox, member, closed }
}

/** Messages whose frames have 100 bytes. */
async function publish({ bus, hub }: Slow, channel: string, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    const head = `{"channel":"${channel}","offset":${number},"data":""}`.length
    await hub.publish(channel, String(number).padEnd(98 - head, '.'))
  }
  bus.turn()
}

/** What came, as `a1`, and how much was skipped, as `b-7`. */
function heard({ outbox }: Slow): string[] {
  return outbox.messages.map((message) => {
    const { channel, offset, skipped } = message as {
      channel: string
      offset: number
      skipped?: { count: number }
    }
    return skipped === undefined ? `${channel}${offset}` : `${channel}-${skipped.count}`
  })
}

function checkTotals({ hub: { totals } }: Slow): void {
  equal(totals.owed, totals.delivered + totals.skipped + totals.abandoned + totals.held)
  equal(totals.held, 0)
  equal(totals.heldBytes, 0)
}

test('a channel with a policy of its own drops its own messages only', async () => {
  const slow = createStalled('close', { policy: 'skip', maxBytes: 300 })
  await publish(slow, 'a', 1, 5)
  await publish(slow, 'b', 1, 10)
  await publish(slow, 'a', 6, 10)
  deepEqual(slow.closed, [])
  equal(slow.hub.totals.heldBytes, 1300)
  slow.outbox.drain()
  const all = heard(slow)
  deepEqual(
    all.filter((one) => one.startsWith('a')),
    ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9', 'a10']
  )
  deepEqual(
    all.filter((one) => one.startsWith('b')),
    ['b-7', 'b8', 'b9', 'b10']
  )
  checkTotals(slow)
})

test('a channel whose rule says so closes a member that others only make skip', async () => {
  const slow = createStalled('skip', { policy: 'close', maxBytes: 300 })
  await publish(slow, 'a', 1, 50)
  await publish(slow, 'b', 1, 3)
  deepEqual(slow.closed, [])
  await publish(slow, 'b', 4, 4)
  deepEqual(slow.closed, ['The client reads too slowly: more than 300 bytes of messages wait for it'])
  checkTotals(slow)
})

test('the age of a rule holds for its channel alone, and what it dropped is told although nothing else waits', async () => {
  const slow = createStalled('skip', { policy: 'skip', maxAge: 1000 })
  await publish(slow, 'b', 1, 3)
  slow.hub.checkAges(performance.now() + 2000)
  slow.outbox.drain()
  deepEqual(heard(slow), ['b-3'])
  slow.outbox.stall()
  await publish(slow, 'a', 1, 1)
  await publish(slow, 'b', 4, 4)
  slow.hub.checkAges(performance.now() + 2000)
  slow.outbox.drain()
  deepEqual(heard(slow).slice(1).toSorted(), ['a1', 'b-1'])
  checkTotals(slow)
})

test('a slow client gets something of each channel in turn', async () => {
  const slow = createStalled('close', { policy: 'skip', maxBytes: 2 ** 20 })
  slow.outbox.stallAfter = 1
  const large = 'x'.repeat(70_000)
  for (const channel of ['a', 'b', 'b']) await slow.hub.publish(channel, large)
  slow.bus.turn()
  slow.outbox.drain()
  slow.outbox.drain()
  deepEqual(new Set(heard(slow)), new Set(['a1', 'b1']))
})

test('a member that leaves a channel and comes back while it is stalled is owed the new messages only', async () => {
  const slow = createStalled('close', { policy: 'skip', maxBytes: 300 })
  for (let round = 0; round < 5; round++) {
    await publish(slow, 'b', round * 2 + 1, round * 2 + 2)
    slow.member.unsubscribe('b')
    slow.member.subscribe('b')
  }
  await publish(slow, 'b', 11, 11)
  slow.outbox.drain()
  deepEqual(heard(slow), ['b11'])
  checkTotals(slow)
})

test('a policy that is set later holds for channels without subscribers, listeners or not', async () => {
  const { bus, hub } = createHub()
  hub.subscribe('ticks', () => {})
  hub.setRule('ticks', { slow: { policy: 'skip', maxBytes: 100 } })
  const outbox = new FakeOutbox()
  const closed: number[] = []
  const member = hub.join(
    outbox,
    { policy: 'close', maxBytes: 100, maxAge: 1000 },
    {
      close: (code) => closed.push(code)
    }
  )
  member.subscribe('ticks')
  hub.setRule('ticks', {})
  outbox.stall()
  for (let count = 0; count < 10; count++) await hub.publish('ticks', 'x'.repeat(50))
  bus.turn()
  deepEqual(closed, [])
})

/** The keys of what is published under a rule. */
async function keysUnder(rule: ChannelRule, ...data: unknown[]): Promise<(string | null)[]> {
  const bus = new FakeBus()
  const { hub } = createHub({}, bus)
  const records: LogRecord[] = []
  bus.onPublish = (record) => records.push(record)
  hub.setRule('*', rule)
  for (const each of data) await hub.publish('ticks', each)
  await hub.publish('ticks', data[0], { key: 'given' })
  return records.map(({ key }) => key)
}

test('the key is a property of what is published, unless publish() gives one', async () => {
  const inherited: unknown = Object.create({ id: 'x' })
  deepEqual(
    await keysUnder(
      { key: 'id' },
      { id: 'a' },
      { id: 7 },
      { id: null },
      {},
      'id',
      null,
      inherited,
      new Uint8Array(2)
    ),
    ['a', '7', null, null, null, null, null, null, 'given']
  )
  deepEqual(await keysUnder({}, { id: 'a' }), [null, 'given'])
})

const byNumber = (data: unknown): string | null => (data as { n: number | null }).n?.toFixed(1) ?? null

test('the key may be made of the data by a function, which has to give a string or null', async () => {
  deepEqual(await keysUnder({ key: byNumber }, { n: 1 }, { n: null }), ['1.0', null, 'given'])
  const { hub } = createHub()
  hub.setRule('ticks', { key: (() => 7) as never })
  await rejects(hub.publish('ticks', 1), {
    code: 'SCZ_ERR_HUB_KEY',
    message:
      'Cannot publish to the channel "ticks": the key function of its rule gave number, and not a string or null'
  })
})

test('what is larger than the rule allows is refused, in bytes and not in characters', async () => {
  const { bus, hub } = createHub()
  hub.setRule('ticks', { maxMessageBytes: 10 })
  await hub.publish('ticks', 'x'.repeat(8))
  await hub.publish('ticks', new Uint8Array(10))
  await hub.publish('other', 'x'.repeat(100))
  await hub.broadcast('x'.repeat(100))
  await rejects(hub.publish('ticks', 'ééééé'), {
    code: 'SCZ_ERR_HUB_MESSAGE_SIZE',
    message: 'Cannot publish 12 bytes in one message to the channel "ticks": its rule allows 10'
  })
  await rejects(hub.publish('ticks', new Uint8Array(11)), { code: 'SCZ_ERR_HUB_MESSAGE_SIZE' })
  equal(bus.offsetOf('ticks'), 2)
})
