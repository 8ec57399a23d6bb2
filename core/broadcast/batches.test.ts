import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type Compression, type Format, formatOf, PLAIN } from './format.ts'
import type { Hub } from './hub.ts'
import { type Pace, paceOf } from './pace.ts'
import { DEFAULT_SLOW_POLICY, type SlowPolicy } from './subscriptions.ts'
import { createHub, FakeBus, loopTurn } from './testing/fake-bus.ts'
import { FakeHistory } from './testing/fake-history.ts'
import { FakeOutbox, unclosed } from './testing/fake-outbox.ts'

const extension: Compression = { by: 'extension', level: 6, threshold: 1000, windowBits: 15 }
const subprotocol: Compression = { ...extension, by: 'subprotocol' }

function batched(pace: Pace, compression: Compression | null = null, isBinary = false): Format {
  return formatOf({ pace, isBinary, compression })
}

/** Keeps what it was handed as it is. */
class KeepingOutbox extends FakeOutbox {
  readonly frames: Buffer[] = []

  override send(frame: Buffer): void {
    this.frames.push(frame)
    super.send(frame)
  }
}

function join(hub: Hub, format: Format, policy: SlowPolicy = DEFAULT_SLOW_POLICY): KeepingOutbox {
  const outbox = new KeepingOutbox()
  hub.join(outbox, policy, unclosed, format).subscribe('ticks')
  return outbox
}

async function publish(hub: Hub, bus: FakeBus, ...data: unknown[]): Promise<void> {
  for (const each of data) await hub.publish('ticks', each)
  bus.turn()
}

const at = (offset: number, data: unknown): unknown => ({ channel: 'ticks', offset, data })

test('a batch is one text message with an array of envelopes', async () => {
  const { bus, hub } = createHub()
  const outbox = join(hub, batched(paceOf(500, 0, false)))
  await publish(hub, bus, 1, 'é')
  const json = '[{"channel":"ticks","offset":1,"data":1},{"channel":"ticks","offset":2,"data":"é"}]'
  const payload = Buffer.from(json)
  deepEqual(outbox.frames, [Buffer.concat([Buffer.of(0x81, payload.length), payload])])
})

test('a single message is no array, and shares the bytes of those who take no batches', async () => {
  const { bus, hub } = createHub()
  const [one, other] = [join(hub, batched(paceOf(500, 0, false))), join(hub, PLAIN)]
  await publish(hub, bus, 1)
  deepEqual(one.received, [at(1, 1)])
  equal(one.frames[0], other.frames[0])
})

test('all who have the same pace share the bytes of a batch', async () => {
  const { bus, hub } = createHub()
  const format = batched(paceOf(500, 0, false), extension)
  const outboxes = Array.from({ length: 3 }, () => join(hub, format))
  await publish(hub, bus, 'a'.repeat(600), 'b'.repeat(600))
  for (const { frames } of outboxes) equal(frames[0], outboxes[0]!.frames[0])
  equal(hub.totals.batchSizes.counts[1], 1)
})

test('a batch is closed by count at once, and the rest by time', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub()
  const outbox = join(hub, batched(paceOf(3, 10_000, false)))
  await publish(hub, bus, 1, 2)
  deepEqual(outbox.received, [])
  await publish(hub, bus, 3, 4)
  deepEqual(outbox.received, [[at(1, 1), at(2, 2), at(3, 3)]])
  t.mock.timers.tick(10_000)
  deepEqual(outbox.received.slice(1), [at(4, 4)])
})

test('64 KiB close a batch, whatever its pace', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub()
  const outbox = join(hub, batched(paceOf(500, 10_000, false)))
  for (let count = 0; count < 7; count++) await publish(hub, bus, 'x'.repeat(10_000))
  equal(outbox.received.length, 1)
  equal(outbox.messages.length, 6)
})

test('a subscriber without batches does not wait for those who take them', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub()
  const [waiting, plain] = [join(hub, batched(paceOf(500, 10_000, false))), join(hub, PLAIN)]
  await publish(hub, bus, 1)
  deepEqual(plain.data, [1])
  deepEqual(waiting.data, [])
  t.mock.timers.tick(10_000)
  deepEqual(waiting.data, [1])
})

test('an adaptive batch waits for nothing while the loop is idle', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub({ load: () => 0.4 })
  const outbox = join(hub, batched(paceOf(500, 10_000, true)))
  await publish(hub, bus, 1, 2)
  deepEqual(outbox.received, [[at(1, 1), at(2, 2)]])
})

test('an adaptive batch waits the longer the busier the loop is, up to its budget', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let load = 0.7
  const { bus, hub } = createHub({ load: () => load })
  const outbox = join(hub, batched(paceOf(500, 10_000, true)))
  await publish(hub, bus, 1)
  t.mock.timers.tick(5001)
  deepEqual(outbox.data, [1])
  load = 1
  await publish(hub, bus, 2)
  t.mock.timers.tick(9000)
  deepEqual(outbox.data, [1])
  t.mock.timers.tick(1001)
  deepEqual(outbox.data, [1, 2])
})

test('bytes close a batch and go alone, in their place', async () => {
  const { bus, hub } = createHub()
  const outbox = join(hub, batched(paceOf(500, 0, false)))
  await publish(hub, bus, 1, 2, Buffer.from('bytes'), 4, 5)
  const bytes = Buffer.from('\0\x05ticks\0\0\0\0\0\0\0\x03bytes', 'latin1')
  deepEqual(outbox.received, [[at(1, 1), at(2, 2)], bytes, [at(4, 4), at(5, 5)]])
})

test('when too much waits, batches are closed and reading stops until they have gone', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub()
  const outbox = new FakeOutbox()
  const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed, batched(paceOf(500, 10_000, false)))
  for (let channel = 0; channel < 40; channel++) member.subscribe(`ticks ${channel}`)
  for (let channel = 0; channel < 40; channel++) await hub.publish(`ticks ${channel}`, 'x'.repeat(40_000))
  while (bus.turn() > 0) await loopTurn()
  ok(outbox.messages.length >= 20)
  equal(bus.isPaused, false)
})

test('who subscribes while a batch waits gets what is published from then on', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub()
  const format = batched(paceOf(500, 10_000, false))
  const early = join(hub, format)
  await publish(hub, bus, 1)
  const late = join(hub, format)
  await publish(hub, bus, 2, 3)
  t.mock.timers.tick(10_000)
  deepEqual(early.received, [[at(1, 1), at(2, 2), at(3, 3)]])
  deepEqual(late.received, [[at(2, 2), at(3, 3)]])
})

test('who is about to leave gets what its batch waited with, once', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub()
  const format = batched(paceOf(500, 10_000, false))
  const outbox = new FakeOutbox()
  const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed, format)
  member.subscribe('ticks')
  const other = join(hub, format)
  await publish(hub, bus, 1, 2)
  member.flush()
  member.flush()
  deepEqual(outbox.received, [[at(1, 1), at(2, 2)]])
  await publish(hub, bus, 3)
  t.mock.timers.tick(10_000)
  deepEqual(outbox.data, [1, 2, 3])
  deepEqual(other.data, [1, 2, 3])
  const { owed, delivered } = hub.totals
  deepEqual([owed, delivered], [6, 6])
})

test('what a channel waits with is forgotten with its last subscriber', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { bus, hub } = createHub()
  const member = hub.join(
    new FakeOutbox(),
    DEFAULT_SLOW_POLICY,
    unclosed,
    batched(paceOf(500, 10_000, false))
  )
  member.subscribe('ticks')
  await publish(hub, bus, 1)
  member.unsubscribe('ticks')
  t.mock.timers.tick(10_000)
  const { owed, abandoned } = hub.totals
  deepEqual([owed, abandoned], [1, 1])
})

test('a slow subscriber gets what was held back in batches, behind the notice of what it missed', async () => {
  const { bus, hub } = createHub()
  const outbox = join(hub, batched(paceOf(500, 0, false)), { policy: 'skip', maxBytes: 220, maxAge: 1e9 })
  outbox.stall()
  for (let data = 1; data <= 8; data++) await publish(hub, bus, data)
  deepEqual(outbox.received, [])
  outbox.drain()
  deepEqual(outbox.received, [
    { channel: 'ticks', skipped: { from: 1, to: 3, count: 3 } },
    [at(4, 4), at(5, 5), at(6, 6), at(7, 7), at(8, 8)]
  ])
})

test('slow subscribers share the compressed batches between fixed offsets, and nothing is compressed for one', async () => {
  const { bus, hub } = createHub()
  const format = batched(paceOf(10, 0, false), { ...extension, threshold: 100 })
  const outboxes = [join(hub, format), join(hub, format)]
  outboxes[0]!.stall()
  await publish(hub, bus, 1, 2, 3)
  outboxes[1]!.stall()
  await publish(hub, bus, ...Array.from({ length: 32 }, (_, index) => index + 4))
  const before = hub.totals.bytesBefore
  for (const outbox of outboxes) outbox.drain()
  const compressed = outboxes.map(({ wire }) => wire.map(({ isDeflated }) => isDeflated))
  // 1 to 9, 10 to 19, 20 to 29, 30 to 35; the other had three already.
  deepEqual(compressed[0], [false, true, true, false])
  equal(outboxes[0]!.frames[1], outboxes[1]!.frames.at(-3))
  equal(hub.totals.bytesBefore - before, 2 * (10 * '{"channel":"ticks","offset":10,"data":10}'.length + 11))
  for (const outbox of outboxes) equal(outbox.data.length, 35)
})

test('what was missed comes in batches, those between fixed offsets shared by all who come back', async () => {
  const bus = new FakeBus()
  const history = new FakeHistory(bus, 1000)
  const { hub } = createHub({ history }, bus)
  const format = batched(paceOf(10, 0, false), { ...extension, threshold: 100 })
  await publish(hub, bus, ...Array.from({ length: 35 }, (_, index) => index + 1))
  const outboxes = [2, 7].map((offset) => {
    const outbox = new KeepingOutbox()
    const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed, format)
    return { outbox, ready: member.subscribe('ticks', { epoch: 'epoch', offset }) }
  })
  for (const { ready } of outboxes) await ready
  const [one, other] = outboxes.map(({ outbox }) => outbox)
  deepEqual(one!.received.slice(1).map(lengthOf), [7, 10, 10, 6])
  deepEqual(other!.received.slice(1).map(lengthOf), [2, 10, 10, 6])
  deepEqual(
    one!.wire.map(({ isDeflated }) => isDeflated),
    [false, false, true, true, false]
  )
  equal(hub.totals.bytesBefore, 2 * (10 * '{"channel":"ticks","offset":10,"data":10}'.length + 11))
})

test('a message above the threshold is compressed once for all who agreed on it', async () => {
  const { bus, hub } = createHub()
  const format = formatOf({ pace: null, isBinary: false, compression: extension })
  const outboxes = Array.from({ length: 5 }, () => join(hub, format))
  const plain = join(hub, PLAIN)
  const envelope = '{"channel":"ticks","offset":1,"data":""}'.length
  await publish(hub, bus, 'x'.repeat(1000 - envelope), 'x'.repeat(999 - envelope))
  deepEqual(
    outboxes[0]!.wire.map(({ isDeflated }) => isDeflated),
    [true, false]
  )
  for (const outbox of outboxes) {
    equal(outbox.frames[0], outboxes[0]!.frames[0])
    deepEqual(outbox.messages, plain.messages)
  }
  equal(hub.totals.bytesBefore, 1000)
  ok(hub.totals.bytesAfter < 100)
})

test('what does not get smaller is sent as it is', async () => {
  const { bus, hub } = createHub()
  const noise = randomBytes(5000)
  for (const compression of [extension, subprotocol]) {
    const outbox = join(hub, formatOf({ pace: null, isBinary: false, compression }))
    outbox.isTagged = compression === subprotocol
    await publish(hub, bus, noise)
    ok((outbox.messages[0] as Buffer).subarray(-5000).equals(noise))
    equal(outbox.wire[0]!.isDeflated, false)
  }
  equal(hub.totals.bytesAfter, hub.totals.bytesBefore)
})

test('in the subprotocol, the first byte of a binary message says what follows', async () => {
  const { bus, hub } = createHub()
  const outbox = join(hub, formatOf({ pace: null, isBinary: false, compression: subprotocol }))
  outbox.isTagged = true
  await publish(hub, bus, 'x'.repeat(2000), 'short', Buffer.from('bytes'))
  deepEqual(
    outbox.wire.map(({ isText, isDeflated, payload }) => [isText, isDeflated, payload[0]]),
    [
      [false, false, 1],
      [true, false, '{'.charCodeAt(0)],
      [false, false, 0]
    ]
  )
  deepEqual(outbox.messages, [
    at(1, 'x'.repeat(2000)),
    at(2, 'short'),
    Buffer.from('\0\x05ticks\0\0\0\0\0\0\0\x03bytes', 'latin1')
  ])
})

test('with binary, JSON comes in binary messages, notices as well', async () => {
  const { bus, hub } = createHub()
  const format = batched(paceOf(500, 0, false), null, true)
  const outbox = join(hub, format, { policy: 'skip', maxBytes: 50, maxAge: 1e9 })
  await publish(hub, bus, 1, 2)
  await publish(hub, bus, 3)
  outbox.stall()
  await publish(hub, bus, 4, 5)
  outbox.drain()
  ok(outbox.wire.every(({ isText }) => !isText))
  deepEqual(outbox.received, [
    [at(1, 1), at(2, 2)],
    at(3, 3),
    { channel: 'ticks', skipped: { from: 4, to: 4, count: 1 } },
    at(5, 5)
  ])
})

test('the same choice gives the same format, whoever makes it', () => {
  const given = { pace: paceOf(10, 20, false), isBinary: false, compression: extension }
  equal(formatOf({ ...given, compression: { ...extension } }), formatOf(given))
  equal(formatOf({ pace: null, isBinary: false, compression: null }), PLAIN)
  notEqual(formatOf({ ...given, isBinary: true }), formatOf(given))
})

function lengthOf(message: unknown): number {
  return Array.isArray(message) ? message.length : 1
}
