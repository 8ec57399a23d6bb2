import { deepEqual, equal } from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import type { Hub } from './hub.ts'
import type { Membership, SlowPolicy } from './subscriptions.ts'
import { FakeOutbox, unclosed } from './testing/fake-outbox.ts'
import type { FakeBus } from './testing/fake-bus.ts'
import { createHub } from './testing/fake-bus.ts'

interface Slow {
  readonly bus: FakeBus
  readonly hub: Hub
  readonly outbox: FakeOutbox
  readonly member: Membership
  readonly closed: [number, string][]
}

function createSlow(policy: SlowPolicy['policy'], limits: Partial<SlowPolicy> = {}): Slow {
  const { bus, hub } = createHub()
  const outbox = new FakeOutbox()
  const closed: [number, string][] = []
  const member = hub.join(
    outbox,
    { policy, maxBytes: 1000, maxAge: 30_000, ...limits },
    {
      close: (code, reason) => closed.push([code, reason])
    }
  )
  member.subscribe('ticks')
  return { bus, hub, outbox, member, closed }
}

/** Publishes and reads messages whose frames have 100 bytes and that carry numbers. */
async function publish(
  { bus, hub }: Slow,
  from: number,
  to: number,
  channel = 'ticks',
  key?: string
): Promise<void> {
  for (let number = from; number <= to; number++) {
    const head = `{"channel":"${channel}","offset":${number},"data":""}`.length
    const text = String(number).padEnd(98 - head, '.')
    await hub.publish(channel, text, key === undefined ? {} : { key })
  }
  bus.turn()
}

function numbers(outbox: FakeOutbox): number[] {
  return outbox.data.map((data) => Number.parseInt(data as string, 10))
}

/** Every message is somewhere. */
function checkTotals({ hub: { totals } }: Slow): void {
  equal(totals.owed, totals.delivered + totals.skipped + totals.abandoned + totals.held)
}

test('what comes while the socket is stalled is held back and sent once it drains', async () => {
  const slow = createSlow('close')
  await publish(slow, 1, 2)
  slow.outbox.stall()
  await publish(slow, 3, 7)
  equal(slow.hub.totals.heldBytes, 500)
  deepEqual(numbers(slow.outbox), [1, 2])
  slow.outbox.drain()
  await publish(slow, 8, 9)
  deepEqual(numbers(slow.outbox), [1, 2, 3, 4, 5, 6, 7, 8, 9])
  const { held, heldBytes, delivered } = slow.hub.totals
  deepEqual({ held, heldBytes, delivered }, { held: 0, heldBytes: 0, delivered: 9 })
  equal(slow.outbox.onDrain, null)
})

test('close: more bytes than the limit close the connection with a reason', async () => {
  const slow = createSlow('close')
  slow.outbox.stall()
  await publish(slow, 1, 10)
  deepEqual(slow.closed, [])
  await publish(slow, 11, 11)
  deepEqual(slow.closed, [
    [1008, 'The client reads too slowly: more than 1000 bytes of messages wait for it']
  ])
  const { members, abandoned, held, heldBytes, slowClosed } = slow.hub.totals
  deepEqual(
    { members, abandoned, held, heldBytes, slowClosed },
    { members: 0, abandoned: 11, held: 0, heldBytes: 0, slowClosed: 1 }
  )
  checkTotals(slow)
})

test('a single message may be larger than the limit', async () => {
  for (const policy of ['close', 'skip', 'latest'] as const) {
    const slow = createSlow(policy)
    slow.outbox.stall()
    await slow.hub.publish('ticks', 'x'.repeat(5000))
    slow.bus.turn()
    slow.outbox.drain()
    deepEqual(slow.outbox.data, ['x'.repeat(5000)])
    deepEqual(slow.closed, [])
  }
})

test('close: a message that is older than the limit closes the connection with a reason', async () => {
  const slow = createSlow('close', { maxAge: 5000 })
  slow.outbox.stall()
  await publish(slow, 1, 1)
  slow.hub.checkAges(performance.now() + 4000)
  deepEqual(slow.closed, [])
  slow.hub.checkAges(performance.now() + 6000)
  deepEqual(slow.closed, [[1008, 'The client reads too slowly: a message has waited for it for 5000 ms']])
  checkTotals(slow)
})

test('skip: the oldest are dropped, and the client is told before it gets the others', async () => {
  const slow = createSlow('skip')
  await publish(slow, 1, 1)
  slow.outbox.stall()
  await publish(slow, 2, 25)
  checkTotals(slow)
  slow.outbox.drain()
  deepEqual(slow.outbox.messages[1], { channel: 'ticks', skipped: { from: 2, to: 15, count: 14 } })
  deepEqual(numbers(slow.outbox), [1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
  const { delivered, skipped, held } = slow.hub.totals
  deepEqual({ delivered, skipped, held }, { delivered: 11, skipped: 14, held: 0 })
  deepEqual(slow.closed, [])
})

test('skip: each channel has its own notice, and what is broadcast one without a channel', async () => {
  const slow = createSlow('skip', { maxBytes: 100 })
  slow.member.subscribe('chat')
  slow.outbox.stall()
  await publish(slow, 1, 2)
  await publish(slow, 1, 2, 'chat')
  await slow.hub.broadcast('x'.repeat(50))
  await slow.hub.broadcast('y')
  slow.bus.turn()
  slow.outbox.drain()
  deepEqual(slow.outbox.messages, [
    { channel: 'ticks', skipped: { from: 1, to: 2, count: 2 } },
    { channel: 'chat', skipped: { from: 1, to: 2, count: 2 } },
    { offset: 1, data: 'x'.repeat(50) },
    { offset: 2, data: 'y' }
  ])
})

test('skip: what is older than the limit is dropped, even if nothing is left', async () => {
  const slow = createSlow('skip', { maxAge: 5000 })
  slow.outbox.stall()
  await publish(slow, 1, 3)
  slow.hub.checkAges(performance.now() + 6000)
  equal(slow.hub.totals.heldBytes, 0)
  slow.outbox.drain()
  deepEqual(slow.outbox.messages, [{ channel: 'ticks', skipped: { from: 1, to: 3, count: 3 } }])
  await publish(slow, 4, 4)
  deepEqual(numbers(slow.outbox), [4])
})

test('latest: one message for each key is kept, and the number of the others told', async () => {
  const slow = createSlow('latest')
  slow.outbox.stall()
  await publish(slow, 1, 3, 'ticks', 'a')
  await publish(slow, 4, 5, 'ticks', 'b')
  await publish(slow, 6, 6, 'ticks', 'a')
  checkTotals(slow)
  slow.outbox.drain()
  deepEqual(slow.outbox.messages[0], { channel: 'ticks', skipped: { from: 1, to: 4, count: 4 } })
  deepEqual(numbers(slow.outbox), [5, 6])
  checkTotals(slow)
})

test('latest: without keys one message for each channel is kept', async () => {
  const slow = createSlow('latest')
  slow.member.subscribe('chat')
  slow.outbox.stall()
  await publish(slow, 1, 500)
  await publish(slow, 1, 500, 'chat')
  equal(slow.hub.totals.heldBytes, 200)
  slow.outbox.drain()
  deepEqual(slow.outbox.messages.slice(0, 2), [
    { channel: 'ticks', skipped: { from: 1, to: 499, count: 499 } },
    { channel: 'chat', skipped: { from: 1, to: 499, count: 499 } }
  ])
  deepEqual(numbers(slow.outbox), [500, 500])
})

test('latest: more keys than the limit has room for drop the oldest', async () => {
  const slow = createSlow('latest')
  slow.outbox.stall()
  for (let number = 1; number <= 12; number++) await publish(slow, number, number, 'ticks', `key ${number}`)
  slow.outbox.drain()
  deepEqual(slow.outbox.messages[0], { channel: 'ticks', skipped: { from: 1, to: 2, count: 2 } })
  deepEqual(numbers(slow.outbox), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
})

test('a socket that stalls again gets the rest after the next drain', async () => {
  const slow = createSlow('skip', { maxBytes: 200_000 })
  slow.outbox.stall()
  await publish(slow, 1, 1500)
  slow.outbox.stallAfter = 1
  slow.outbox.drain()
  equal(numbers(slow.outbox).length, Math.ceil(65_536 / 100))
  await publish(slow, 1501, 1510)
  checkTotals(slow)
  for (let drains = 0; drains < 3; drains++) slow.outbox.drain()
  deepEqual(
    numbers(slow.outbox),
    Array.from({ length: 1510 }, (_, index) => index + 1)
  )
})

test('a channel that a stalled member gives up leaves the others alone', async () => {
  const slow = createSlow('latest')
  slow.member.subscribe('chat')
  slow.outbox.stall()
  await publish(slow, 1, 4)
  await publish(slow, 1, 3, 'chat')
  slow.member.unsubscribe('ticks')
  checkTotals(slow)
  equal(slow.hub.totals.abandoned, 4)
  slow.outbox.drain()
  deepEqual(slow.outbox.messages[0], { channel: 'chat', skipped: { from: 1, to: 2, count: 2 } })
  deepEqual(numbers(slow.outbox), [3])
  checkTotals(slow)
})

test('a slow member does not hold up the others', async () => {
  const slow = createSlow('skip')
  const other = new FakeOutbox()
  slow.hub.join(other, { policy: 'close', maxBytes: 1000, maxAge: 1000 }, unclosed).subscribe('ticks')
  slow.outbox.stall()
  await publish(slow, 1, 100)
  deepEqual(numbers(other).length, 100)
  deepEqual(numbers(slow.outbox), [])
})
