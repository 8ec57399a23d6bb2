import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { type Bus, createBus } from './bus.ts'
import { SMALL, open } from './testing/open-bus.ts'
import { type Seen, collect, until } from './testing/reader.ts'
import type { ThreadTask } from './testing/thread.ts'

const MIXED = [3, 20, 64, 140, 500, 3000]
const ENDLESS = 1_000_000_000

test('every thread reads every message of every thread once, in one order per channel, without holes', async (t) => {
  const bus = open(t, SMALL)
  const channels = ['a', 'b', 'c']
  const threads = [1, 2, 3].map((id) =>
    start(t, bus, id, { reads: true, lengths: MIXED, channels, count: 4000 })
  )
  await Promise.all(threads.map(nextMessage))
  const answers = await Promise.all(threads.map(tellToPublish))
  const sights = Promise.all(threads.map(nextMessage))
  await bus.publish('control', 'end')
  const [first, ...others] = (await sights) as [Seen[], ...Seen[][]]
  assert.equal(first.length, 12_000)
  for (const other of others) assert.deepEqual(other, first)
  checkWholeness(first)
  for (const [index, offsets] of answers.entries()) {
    const own = first.filter(({ publisher }) => publisher === index + 1)
    assert.deepEqual(
      own.map(({ offset }) => offset),
      offsets
    )
  }
})

test('large messages from several threads stay in order with small ones, for every reader', async (t) => {
  const bus = open(t, SMALL)
  const lengths = [10, 40_000, 100, 200_000, 8000, 12]
  const channels = ['a', 'b']
  const threads = [1, 2].map((id) => start(t, bus, id, { reads: true, lengths, channels, count: 300 }))
  await Promise.all(threads.map(nextMessage))
  await Promise.all(threads.map(tellToPublish))
  const sights = Promise.all(threads.map(nextMessage))
  await bus.publish('control', 'end')
  const [first, second] = (await sights) as [Seen[], Seen[]]
  assert.equal(first.length, 600)
  assert.ok(JSON.stringify(first) === JSON.stringify(second))
  checkWholeness(first)
  for (const { text } of first) assert.equal(text.length, lengths[Number.parseInt(text, 10) % lengths.length])
})

test('a reader that is killed lets the others go on', async (t) => {
  const bus = open(t, SMALL)
  const task = { lengths: MIXED, channels: ['a'], count: ENDLESS }
  const publisher = start(t, bus, 1, { ...task, reads: false })
  await nextMessage(publisher)
  publisher.postMessage('start')
  const { seen } = await collect(bus.connect(2))
  for (let id = 3; id < 13; id++) {
    const reader = start(t, bus, id, { ...task, reads: true })
    await nextMessage(reader)
    await reader.terminate()
    bus.disconnect(id)
    const count = seen.length
    await until(() => seen.length > count + 1000)
  }
  await publisher.terminate()
  bus.disconnect(1)
  await until(() => bus.stats.threads.every(({ id, lagBytes }) => id !== 1 && (lagBytes ?? 0) === 0))
  const first = seen[0]!.offset
  for (const [index, { offset }] of seen.entries()) assert.equal(offset, first + index)
})

test('a publisher that is killed in a tight loop leaves the log whole, fifty times', async (t) => {
  const bus = open(t, SMALL)
  const { seen } = await collect(bus.connect(1))
  const task = { reads: false, lengths: [...MIXED, 10_000], channels: ['a', 'b'], count: ENDLESS }
  for (let round = 0; round < 50; round++) {
    const id = 2 + round
    const publisher = start(t, bus, id, task)
    await nextMessage(publisher)
    const count = seen.length
    publisher.postMessage('start')
    await until(() => seen.length > count + (round % 10))
    await publisher.terminate()
    bus.disconnect(id)
    await bus.publish('b', `${round}`)
  }
  await until(() => bus.stats.threads.length === 2 && seen.length === bus.stats.messages)
  checkWholeness(seen)
})

test('a thread without a reader of the log gets its answers and never holds the log up', async (t) => {
  const bus = open(t, SMALL)
  const { seen } = await collect(bus.connect(1))
  const pool = start(t, bus, 2, { reads: false, lengths: MIXED, channels: ['a'], count: 5000 })
  await nextMessage(pool)
  const offsets = (await tellToPublish(pool)) as number[]
  assert.deepEqual(
    offsets,
    Array.from({ length: 5000 }, (_, index) => index + 1)
  )
  await until(() => seen.length === 5000)
  assert.equal(bus.stats.threads.find(({ id }) => id === 2)!.lagBytes, null)
})

test('a message that a listener throws at is not read again, and the next ones are read', async (t) => {
  const bus = open(t, SMALL)
  const thread = start(t, bus, 1, { reads: true, lengths: MIXED, channels: ['a'], count: 1 })
  await nextMessage(thread)
  const seen = nextMessage(thread)
  for (const channel of ['a', 'throw', 'a', 'throw', 'throw', 'a', 'control']) await bus.publish(channel, 'x')
  assert.deepEqual(
    ((await seen) as Seen[]).map(({ offset }) => offset),
    [1, 2, 3]
  )
  await until(() => bus.stats.threads.find(({ id }) => id === 1)!.lagBytes === 0)
})

test('threads end by themselves once the bus is closed', async (t) => {
  const bus = createBus()
  const thread = start(t, bus, 1, { reads: true, lengths: MIXED, channels: ['a'], count: 1 })
  await nextMessage(thread)
  await tellToPublish(thread)
  const ended = new Promise((resolve) => thread.once('exit', resolve))
  bus.close()
  assert.equal(await ended, 0)
})

/** Offsets without holes in every channel, sequences in order for every publisher, none twice. */
function checkWholeness(seen: readonly Seen[]): void {
  const offsets = new Map<string, number>()
  const sequences = new Map<number, number>()
  for (const { channel, offset, publisher, sequence } of seen) {
    assert.equal(offset, (offsets.get(channel) ?? 0) + 1)
    offsets.set(channel, offset)
    assert.equal(sequence, (sequences.get(publisher) ?? 0) + 1)
    sequences.set(publisher, sequence)
  }
}

function start(t: TestContext, bus: Bus, id: number, task: Omit<ThreadTask, 'description'>): Worker {
  const description = bus.connect(id)
  const thread = new Worker(new URL('testing/thread.ts', import.meta.url), {
    workerData: { ...task, description },
    transferList: [description.port]
  })
  t.after(() => thread.terminate())
  return thread
}

function nextMessage(thread: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
}

function tellToPublish(thread: Worker): Promise<unknown> {
  const answer = nextMessage(thread)
  thread.postMessage('start')
  return answer
}
