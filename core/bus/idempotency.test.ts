import { deepEqual, equal, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { joinBus } from './bus.ts'
import type { Published } from './bus.ts'
import { open } from './testing/open-bus.ts'
import { attachStuck, collect, until } from './testing/reader.ts'

test('the same key on the same channel publishes once, and each is told where that message stands', async (t) => {
  const bus = open(t)
  const { epoch } = bus
  const { bus: thread, seen } = await collect(bus.connect(1))
  const once = { idempotencyKey: 'a' }
  deepEqual(await thread.publish('x', 'one', once), { epoch, offset: 1 })
  deepEqual(await thread.publish('x', 'two', once), { epoch, offset: 1, duplicate: true })
  deepEqual(await bus.publish('x', 'three', once), { epoch, offset: 1, duplicate: true })
  deepEqual(await thread.publish('x', 'four', { idempotencyKey: 'b' }), { epoch, offset: 2 })
  deepEqual(await thread.publish('y', 'five', once), { epoch, offset: 1 })
  deepEqual(await thread.publish('x', 'six'), { epoch, offset: 3 })
  await until(() => seen.length === 4)
  deepEqual(
    seen.map(({ channel, offset, text }) => [channel, offset, text]),
    [
      ['x', 1, 'one'],
      ['x', 2, 'four'],
      ['y', 1, 'five'],
      ['x', 3, 'six']
    ]
  )
  equal(bus.messages, 4)
})

test('answers stay in order when duplicates stand between other messages of one turn', async (t) => {
  const bus = open(t)
  const { bus: thread, seen } = await collect(bus.connect(1))
  const published = Array.from({ length: 300 }, (_, index) => {
    const options = index % 3 === 0 ? { idempotencyKey: String(index % 30) } : {}
    return thread.publish(`c${index % 2}`, String(index), { key: 'k', ...options })
  })
  const expected: Published[] = []
  const counts = [0, 0]
  const first = new Map<string, number>()
  for (let index = 0; index < 300; index++) {
    const channel = index % 2
    const name = `${channel} ${index % 30}`
    const known = index % 3 === 0 ? first.get(name) : undefined
    if (known !== undefined) {
      expected.push({ epoch: bus.epoch, offset: known, duplicate: true })
      continue
    }
    expected.push({ epoch: bus.epoch, offset: ++counts[channel]! })
    if (index % 3 === 0) first.set(name, counts[channel]!)
  }
  deepEqual(await Promise.all(published), expected)
  await until(() => seen.length === counts[0]! + counts[1]!)
})

test('a large message that is a duplicate goes nowhere, and the next large one is whole', async (t) => {
  const bus = open(t, { logBytes: 65_536, inboxBytes: 65_536 })
  const { bus: thread, seen } = await collect(bus.connect(1))

  const once = { idempotencyKey: 'a' }
  const all = [
    thread.publish('x', large('a'), once),
    thread.publish('x', large('b'), once),
    thread.publish('x', large('c'))
  ]
  deepEqual(
    (await Promise.all(all)).map(({ offset, duplicate }) => [offset, duplicate]),
    [
      [1, undefined],
      [1, true],
      [2, undefined]
    ]
  )
  await until(() => seen.length === 2)
  deepEqual(
    seen.map(({ text }) => [text.length, text[0]]),
    [
      [200_000, 'a'],
      [200_000, 'c']
    ]
  )
})

test('a message that waits for room in the log is not taken for published before it is', async (t) => {
  const bus = open(t, { logBytes: 65_536, inboxBytes: 65_536 })
  const stuck = bus.connect(1)
  await attachStuck(stuck, bus)
  const thread = joinBus(bus.connect(2))
  const filling = Array.from({ length: 40 }, () => thread.publish('fill', 'x'.repeat(2000)))
  const other = joinBus(bus.connect(3))
  const once = { idempotencyKey: 'a' }
  const both = [thread.publish('x', 'one', once), other.publish('x', 'two', once)]
  await until(() => bus.stats.holdUps > 0)
  bus.disconnect(1)
  const [one, two] = await Promise.all(both)
  deepEqual([one!.offset, two!.offset], [1, 1])
  equal([one, two].filter((published) => published!.duplicate === true).length, 1)
  await Promise.all(filling)
})

test('a key is forgotten after its window', async (t) => {
  const bus = open(t, { idempotencyWindow: 1 })
  const once = { idempotencyKey: 'a' }
  await bus.publish('x', 'one', once)
  await new Promise((resolve) => setTimeout(resolve, 5))
  equal((await bus.publish('x', 'two', once)).offset, 2)
})

test('a key that is too long is refused', async (t) => {
  const bus = open(t)
  await rejects(bus.publish('x', '1', { idempotencyKey: 'k'.repeat(1025) }), { code: 'SCZ_ERR_BUS_NAME' })
})

const CODE = `
  import { parentPort, workerData } from 'node:worker_threads'
  const { joinBus } = await import(workerData.module)
  const bus = joinBus(workerData.description)
  parentPort.once('message', async () => {
    const all = []
    for (let index = 0; index < 500; index++)
      all.push(bus.publish('x', workerData.name + index, { idempotencyKey: String(index) }))
    parentPort.postMessage(await Promise.all(all))
  })
  parentPort.postMessage('ready')`

test('threads that use the same keys at the same time publish each once, also when one of them is killed', async (t) => {
  const bus = open(t)
  const { seen } = await collect(bus.connect(9))
  const module = new URL('./bus.ts', import.meta.url).href
  const threads = [1, 2, 3].map((id) => {
    const description = bus.connect(id)
    const url = new URL(`data:text/javascript,${encodeURIComponent(CODE)}`)
    const workerData = { module, description, name: `${id} ` }
    const thread = new Worker(url, { workerData, transferList: [description.port] })
    t.after(() => thread.terminate())
    return thread
  })
  await Promise.all(threads.map(next))
  const answers = threads.map(next)
  for (const thread of threads) thread.postMessage('go')
  const lists = (await Promise.all(answers)) as Published[][]
  await threads[0]!.terminate()
  bus.disconnect(1)
  for (let index = 0; index < 500; index++) {
    const [one, ...others] = lists.map((list) => list[index]!)
    for (const other of others) equal(other.offset, one!.offset)
    equal(lists.filter((list) => list[index]!.duplicate !== true).length, 1)
  }
  const late = await bus.publish('x', 'late', { idempotencyKey: '0' })
  deepEqual([late.offset, late.duplicate], [lists[0]![0]!.offset, true])
  await until(() => seen.length === 500)
  equal(new Set(seen.map(({ text }) => text.split(' ')[1])).size, 500)
})

function next(thread: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))
}

function large(letter: string): string {
  return letter.repeat(200_000)
}
