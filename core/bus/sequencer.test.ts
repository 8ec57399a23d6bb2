import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinBus } from './bus.ts'
import { open } from './testing/open-bus.ts'
import { collect, until } from './testing/reader.ts'

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
