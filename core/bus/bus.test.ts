import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Bus, type BusOptions, type LogRecord, type Published, createBus, joinBus } from './bus.ts'
import { CHANNEL_SLOTS } from './record.ts'
import { attachStuck, collect, see, until } from './testing/reader.ts'

const SMALL: BusOptions = { logBytes: 65_536, inboxBytes: 65_536 }

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

test('a record has all that was published with it', async (t) => {
  const bus = open(t)
  const thread = joinBus(bus.connect(1))
  const records: unknown[] = []
  await thread.read({
    onRecord({ channel, data, isText, key, meta, epoch, publisher, sequence, dataLength }) {
      const text = data.toString('latin1')
      records.push({ channel, text, isText, key, meta, epoch, publisher, sequence, dataLength })
    }
  })
  const before = Date.now()
  await thread.publish('grüße', 'h\u{1f600}', { key: 'schlüssel', meta: 'm' })
  await thread.publish('', new Uint8Array([0, 255, 128]), { key: 'k' })
  await thread.publish('c', '', { meta: 'ü' })
  await until(() => records.length === 3)
  assert.ok(Date.now() >= before)
  const same = { epoch: bus.epoch, publisher: 1 }
  assert.deepEqual(records, [
    {
      channel: 'grüße',
      text: 'h\xf0\x9f\x98\x80',
      isText: true,
      key: 'schlüssel',
      meta: 'm',
      sequence: 1,
      dataLength: 5,
      ...same
    },
    {
      channel: '',
      text: '\x00\xff\x80',
      isText: false,
      key: 'k',
      meta: null,
      sequence: 2,
      dataLength: 3,
      ...same
    },
    { channel: 'c', text: '', isText: true, key: null, meta: 'ü', sequence: 3, dataLength: 0, ...same }
  ])
})

test('a record has the time when it was published', async (t) => {
  const bus = open(t)
  const thread = joinBus(bus.connect(1))
  const times: number[] = []
  await thread.read({ onRecord: (record) => times.push(record.time) })
  const before = Date.now()
  await thread.publish('a', 'x')
  const after = Date.now()
  await until(() => times.length === 1)
  assert.ok(times[0]! >= before && times[0]! <= after)
})

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

test('no inbox starves another', async (t) => {
  const bus = open(t, { inboxBytes: 2 ** 20 })
  const { seen } = await collect(bus.connect(1))
  const busy = joinBus(bus.connect(2))
  const quiet = joinBus(bus.connect(3))
  const flood = Array.from({ length: 7000 }, () => busy.publish('a', 'x'.repeat(50)))
  const single = quiet.publish('b', 'me too')
  await Promise.all([...flood, single])
  await until(() => seen.length === 7001)
  const place = seen.findIndex(({ channel }) => channel === 'b')
  assert.ok(place < 2000, `It came as number ${place}`)
})

test('no inbox starves another while the log is full again and again', async (t) => {
  for (const others of [1, 2, 3]) {
    const bus = open(t, { logBytes: 65_536 })
    const order: string[] = []
    const reader = joinBus(bus.connect(1))
    await reader.read({ onRecord: (record) => order.push(record.channel) }, { batchSize: 20 })
    const threads = Array.from({ length: others + 1 }, (_, index) => joinBus(bus.connect(2 + index)))
    const published = threads.flatMap((thread, index) =>
      Array.from({ length: 3000 }, () => thread.publish(`${index}`, 'x'.repeat(50)))
    )
    await Promise.all(published)
    const half = order.slice(0, order.length / 2)
    for (const index of threads.keys()) {
      const count = half.filter((channel) => channel === `${index}`).length
      assert.ok(count > 500, `${count} of thread ${index} in the first half, ${others} others`)
    }
  }
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

test('a record stands for the next one after its listener has returned', async (t) => {
  const bus = open(t)
  const thread = joinBus(bus.connect(1))
  const records: LogRecord[] = []
  await thread.read({ onRecord: (record) => records.push(record) })
  await Promise.all([bus.publish('a', 'one'), bus.publish('a', 'two')])
  await until(() => records.length === 2)
  assert.equal(records[0], records[1])
  assert.equal(see(records[0]!).text, 'two')
})

function open(t: TestContext, options?: BusOptions): Bus {
  const bus = createBus(options)
  t.after(() => bus.close())
  return bus
}
