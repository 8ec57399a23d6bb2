import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinBus } from './bus.ts'
import { SMALL, open } from './testing/open-bus.ts'
import { attachStuck, collect, until } from './testing/reader.ts'

test('a reader that comes later starts at the next offset and misses nothing after it', async (t) => {
  const bus = open(t, SMALL)
  const publisher = joinBus(bus.connect(1))
  let isDone = false
  const publishing = (async () => {
    while (!isDone) await Promise.all(Array.from({ length: 50 }, () => publisher.publish('a', 'x')))
  })()
  for (let id = 2; id < 12; id++) {
    const { seen, bus: reader } = await collect(bus.connect(id))
    await until(() => seen.length > 100)
    reader.close()
    const first = seen[0]!.offset
    for (const [index, { offset, channel }] of seen.entries())
      assert.deepEqual([channel, offset], ['a', first + index])
  }
  isDone = true
  await publishing
})

test('what is published after read() has settled is read', async (t) => {
  const bus = open(t)
  await bus.publish('a', 'before')
  const { seen } = await collect(bus.connect(1))
  await bus.publish('a', 'after')
  await until(() => seen.length > 0)
  assert.deepEqual([seen[0]!.text, seen[0]!.offset], ['after', 2])
})

test('a reader that does not read holds the log up, is named in the figures, and lets go when disconnected', async (t) => {
  const bus = open(t, SMALL)
  const { seen } = await collect(bus.connect(1))
  const stuck = bus.connect(2)
  await attachStuck(stuck, bus)
  const published = Array.from({ length: 3000 }, () => bus.publish('a', 'x'.repeat(50)))
  await until(() => bus.stats.heldUpBy === 2)
  const { threads, holdUps } = bus.stats
  assert.ok(holdUps > 0)
  assert.ok(threads.find(({ id }) => id === 2)!.lagBytes! > 60_000)
  assert.ok(seen.length < 3000)
  bus.disconnect(2)
  await Promise.all(published)
  await until(() => seen.filter(({ channel }) => channel === 'a').length === 3000)
  assert.equal(bus.stats.heldUpBy, null)
  assert.deepEqual(
    bus.stats.threads.map(({ id }) => id),
    [0, 1]
  )
})

test('a reader that closes lets go of the log, also from within its listener', async (t) => {
  const bus = open(t, SMALL)
  const thread = joinBus(bus.connect(1))
  let count = 0
  await thread.read({
    onRecord() {
      count++
      thread.close()
    }
  })
  await Promise.all(Array.from({ length: 3000 }, () => bus.publish('a', 'x'.repeat(50))))
  assert.equal(count, 1)
  assert.equal(bus.stats.threads.find(({ id }) => id === 1)!.lagBytes, null)
})

test('a reader that pauses stops at once, holds the log up, and goes on where it stopped', async (t) => {
  const bus = open(t, SMALL)
  const thread = joinBus(bus.connect(1))
  const seen: number[] = []
  let batches = 0
  await thread.read({
    onRecord({ offset }) {
      seen.push(offset)
      if (offset === 3) thread.pause()
    },
    onBatchEnd: () => batches++
  })
  const answers = Array.from({ length: 200 }, () => bus.publish('a', 'x'.repeat(1000)))
  await until(() => bus.stats.heldUpBy === 1)
  assert.deepEqual(seen, [1, 2, 3])
  thread.resume()
  await Promise.all(answers)
  await until(() => seen.length === 200)
  assert.deepEqual(
    seen,
    Array.from({ length: 200 }, (_, index) => index + 1)
  )
  assert.ok(batches > 1)
  thread.pause()
  thread.resume()
  await bus.publish('a', '')
  await until(() => seen.length === 201)
})

test('hands over batches of a bounded size with the event loop in between', async (t) => {
  const bus = open(t)
  const thread = joinBus(bus.connect(1))
  const batches: number[] = []
  let count = 0
  const listener = {
    onRecord: () => count++,
    onBatchEnd() {
      batches.push(count)
      count = 0
    }
  }
  await thread.read(listener, { batchSize: 10 })
  await Promise.all(Array.from({ length: 95 }, () => bus.publish('a', 'x')))
  await until(() => batches.reduce((sum, size) => sum + size, 0) === 95)
  assert.ok(batches.every((size) => size > 0 && size <= 10))
})
