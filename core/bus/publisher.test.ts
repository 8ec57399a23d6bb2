import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Published } from './bus.ts'
import { SMALL, open } from './testing/open-bus.ts'
import { collect, until } from './testing/reader.ts'

test('data may be changed as soon as publish() has returned, also while it waits', async (t) => {
  const bus = open(t, SMALL)
  const { bus: thread, seen } = await collect(bus.connect(1))
  const data = Buffer.alloc(4000)
  const published = Array.from({ length: 100 }, (_, number) => {
    data.fill(65 + (number % 26))
    return thread.publish('a', data)
  })
  assert.ok(thread.waiting > 0)
  await Promise.all(published)
  await until(() => seen.length === 100)
  for (const [number, { text }] of seen.entries()) {
    assert.equal(text, String.fromCharCode(65 + (number % 26)).repeat(4000))
  }
})

test('a full inbox makes publish() wait, in order with later calls, and then goes on', async (t) => {
  const bus = open(t, SMALL)
  const { bus: thread, seen } = await collect(bus.connect(1))
  const published = Array.from({ length: 5000 }, (_, number) => thread.publish('a', String(number)))
  assert.ok(thread.waiting > 0)
  const answers = await Promise.all(published)
  assert.equal(thread.waiting, 0)
  for (const [index, { offset }] of answers.entries()) assert.equal(offset, index + 1)
  await until(() => seen.length === 5000)
  for (const [index, { text, offset }] of seen.entries()) {
    assert.deepEqual([text, offset], [String(index), index + 1])
  }
})

test('a message does not overtake those that wait when room comes in between', async (t) => {
  const bus = open(t, SMALL)
  const { bus: thread } = await collect(bus.connect(1))
  const published: Promise<Published>[] = []
  for (let round = 0; round < 100; round++) {
    for (let number = 0; number < 100; number++) published.push(thread.publish('a', 'x'.repeat(number * 10)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const [index, { offset }] of (await Promise.all(published)).entries()) assert.equal(offset, index + 1)
})

test('messages of every size around the rings arrive whole and in order', async (t) => {
  const bus = open(t, SMALL)
  const { bus: thread, seen } = await collect(bus.connect(1))
  const { seen: second } = await collect(bus.connect(2))
  const lengths = [0, 1, 7, 8, 9, 2700, 8100, 8126, 8127, 8128, 8135, 8136, 8192, 20_000, 65_536, 300_000]
  const texts = lengths.flatMap((length) => ['a'.repeat(length), 'small', 'ü'.repeat(length), 'small'])
  const answers = await Promise.all(
    texts.map((text, index) => thread.publish('a', index % 3 === 0 ? Buffer.from(text) : text))
  )
  for (const [index, { offset }] of answers.entries()) assert.equal(offset, index + 1)
  await until(() => seen.length === texts.length && second.length === texts.length)
  for (const [index, text] of texts.entries()) {
    assert.ok(seen[index]!.text === text, `message ${index}`)
    assert.equal(seen[index]!.offset, index + 1)
  }
  assert.deepEqual(second, seen)
})

test('large messages wait for one another when they are too much together', async (t) => {
  const bus = open(t, { ...SMALL, maxMessageBytes: 100_000 })
  const { bus: thread, seen } = await collect(bus.connect(1))
  const published = Array.from({ length: 20 }, (_, number) =>
    thread.publish('a', String(number % 10).repeat(60_000))
  )
  assert.equal(thread.waiting, 19)
  await Promise.all(published)
  await until(() => seen.length === 20)
  for (const [number, { text }] of seen.entries()) assert.equal(text, String(number % 10).repeat(60_000))
})

test('a message above the limit is refused with an error that names both figures, and others go on', async (t) => {
  const bus = open(t, { ...SMALL, maxMessageBytes: 5000 })
  await bus.publish('a', 'x'.repeat(5000))
  await assert.rejects(bus.publish('a', 'x'.repeat(5001)), {
    code: 'SCZ_ERR_BUS_MESSAGE_SIZE',
    message: 'Cannot publish 5001 bytes in one message: it may have up to 5000'
  })
  await assert.rejects(bus.publish('a', new Uint8Array(70_000)), { code: 'SCZ_ERR_BUS_MESSAGE_SIZE' })
  await assert.rejects(bus.publish('a', 'ü'.repeat(2501)), { code: 'SCZ_ERR_BUS_MESSAGE_SIZE' })
  assert.equal((await bus.publish('a', 'x')).offset, 2)
})

test('names that are too long are refused', async (t) => {
  const bus = open(t)
  const long = 'ü'.repeat(513)
  await bus.publish('ü'.repeat(512), 'x', { key: 'ü'.repeat(512), meta: 'ü'.repeat(512) })
  const error = { code: 'SCZ_ERR_BUS_NAME', message: /of 1026 bytes: it may have up to 1024/ }
  await assert.rejects(bus.publish(long, 'x'), error)
  await assert.rejects(bus.publish('a', 'x', { key: long }), error)
  await assert.rejects(bus.publish('a', 'x', { meta: long }), error)
})

test('publishing without awaiting is refused when too much waits, and what waits is still delivered', async (t) => {
  const bus = open(t, { ...SMALL, maxWaitingBytes: 100_000 })
  const { bus: thread, seen } = await collect(bus.connect(1))
  const published = Array.from({ length: 1000 }, () => thread.publish('a', 'x'.repeat(1000)))
  const results = await Promise.allSettled(published)
  const accepted = results.filter(({ status }) => status === 'fulfilled').length
  assert.ok(accepted > 100 && accepted < 1000)
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.code, 'SCZ_ERR_BUS_OVERLOAD')
  }
  assert.equal((await thread.publish('a', 'x')).offset, accepted + 1)
  await until(() => seen.length === accepted + 1)
})
