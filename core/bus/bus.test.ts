import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANNEL_SLOTS } from './record.ts'
import { createBus, joinBus } from './bus.ts'
import { SMALL, open } from './testing/open-bus.ts'
import { attachStuck, collect, until } from './testing/reader.ts'

test('answers a publish with the epoch and the offset that readers see', async (t) => {
  const bus = open(t)
  const { bus: thread, seen } = await collect(bus.connect(1))
  assert.deepEqual(await thread.publish('a', 'one'), { epoch: bus.epoch, offset: 1 })
  assert.deepEqual(await thread.publish('a', 'two'), { epoch: bus.epoch, offset: 2 })
  assert.deepEqual(await bus.publish('a', 'three'), { epoch: bus.epoch, offset: 3 })
  assert.deepEqual(await bus.publish('b', 'four'), { epoch: bus.epoch, offset: 1 })
  await until(() => seen.length === 4)
  assert.deepEqual(
    seen.map(({ channel, offset, text }) => [channel, offset, text]),
    [
      ['a', 1, 'one'],
      ['a', 2, 'two'],
      ['a', 3, 'three'],
      ['b', 1, 'four']
    ]
  )
  assert.equal(bus.offsetOf('a'), 3)
  assert.equal(bus.offsetOf('c'), 0)
})

test('a new log has a new epoch', (t) => {
  assert.notEqual(open(t).epoch, open(t).epoch)
})

test('more channels than slots keep their names and offsets, for publishers and readers', async (t) => {
  const bus = open(t)
  const { bus: thread, seen } = await collect(bus.connect(1))
  const channels = CHANNEL_SLOTS + 500
  for (let round = 1; round <= 2; round++) {
    for (let start = 0; start < channels; start += 1000) {
      const answers = await Promise.all(
        Array.from({ length: Math.min(1000, channels - start) }, (_, index) =>
          thread.publish(`channel ${start + index}`, 'x')
        )
      )
      assert.ok(answers.every(({ offset }) => offset === round))
    }
  }
  await until(() => seen.length === 2 * channels)
  for (const [index, { channel, offset }] of seen.entries()) {
    assert.equal(channel, `channel ${index % channels}`)
    assert.equal(offset, index < channels ? 1 : 2)
  }
  assert.equal(bus.stats.channels, channels)
})

test('closing refuses those who wait with a coded error and still answers what fitted', async () => {
  const bus = createBus(SMALL)
  const stuck = bus.connect(1)
  await attachStuck(stuck, bus)
  const publisher = joinBus(bus.connect(2))
  const published = Array.from({ length: 3000 }, () => publisher.publish('a', 'x'.repeat(50)))
  await until(() => bus.stats.heldUpBy === 1)
  const own = bus.publish('b', 'x'.repeat(50))
  bus.close()
  const results = await Promise.allSettled(published)
  const answered = results.filter(({ status }) => status === 'fulfilled').length
  assert.ok(answered > 0 && answered < 3000)
  for (const [index, result] of results.entries()) {
    if (index < answered) assert.equal(result.status, 'fulfilled')
    else assert.equal((result as PromiseRejectedResult).reason.code, 'SCZ_ERR_BUS_CLOSED')
  }
  await assert.rejects(own, { code: 'SCZ_ERR_BUS_CLOSED' })
  await assert.rejects(publisher.publish('a', 'x'), { code: 'SCZ_ERR_BUS_CLOSED' })
  await assert.rejects(joinBus(stuck).publish('a', 'x'), { code: 'SCZ_ERR_BUS_CLOSED' })
})

test('closing first gives offsets to what was published, and readers still get it', async () => {
  const bus = createBus()
  const { seen, bus: thread } = await collect(bus.connect(1))
  const published = thread.publish('a', 'last words')
  const large = thread.publish('a', 'x'.repeat(200_000))
  bus.close()
  assert.equal((await published).offset, 1)
  assert.equal((await large).offset, 2)
  await until(() => seen.length === 2)
})

test('a reader that was never let in learns that the bus is closed', async () => {
  const bus = createBus()
  const thread = joinBus(bus.connect(1))
  bus.close()
  await assert.rejects(thread.read({ onRecord: () => undefined }), { code: 'SCZ_ERR_BUS_CLOSED' })
  thread.close()
})

test('a large message is delivered although its thread closed its side right after it', async (t) => {
  const bus = open(t)
  const { seen } = await collect(bus.connect(1))
  const thread = joinBus(bus.connect(2))
  const published = thread.publish('a', 'x'.repeat(200_000))
  thread.close()
  bus.disconnect(2)
  await assert.rejects(published, { code: 'SCZ_ERR_BUS_CLOSED' })
  await until(() => seen.length === 1)
  assert.equal(seen[0]!.text.length, 200_000)
  assert.equal(bus.stats.threads.length, 2)
})

test('the primary reads the log, too', async (t) => {
  const bus = open(t)
  const seen: string[] = []
  await bus.read({ onRecord: (record) => seen.push(record.data.toString()) })
  await joinBus(bus.connect(1)).publish('a', 'x')
  await until(() => seen.length === 1)
  assert.deepEqual(seen, ['x'])
})

test('a thread reads in one place, and a number stands for one thread at a time', async (t) => {
  const bus = open(t)
  const { bus: thread } = await collect(bus.connect(1))
  assert.throws(() => thread.read({ onRecord: () => undefined }), /reads the log already/)
  assert.throws(() => bus.connect(1), /Thread 1 is connected already/)
  thread.close()
  bus.disconnect(1)
  const { seen } = await collect(bus.connect(1))
  await bus.publish('a', 'x')
  await until(() => seen.length === 1)
})

test('ring sizes are powers of two in bounds', () => {
  for (const bytes of [0, 32_768, 100_000, 2 ** 31]) {
    assert.throws(() => createBus({ logBytes: bytes }), RangeError)
    assert.throws(() => createBus({ inboxBytes: bytes }), RangeError)
  }
})
