import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { fakeView } from '../testing/fake-view.ts'
import { ChannelCensus } from './channel-census.ts'

test('channels have their subscribers and messages, and a rate from the second time on', async (t) => {
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  const offsets = new Map([
    ['ticks', 10],
    ['chat', 5]
  ])
  const subscribers = new Map([
    ['chat', 2],
    ['ticks', 3]
  ])
  const census = new ChannelCensus(
    fakeView({ channels: async () => subscribers, offsetOf: (channel) => offsets.get(channel) ?? 0 })
  )
  await census.refresh()
  deepEqual(census.latest, {
    count: 2,
    rows: [
      { name: 'ticks', subscribers: 3, messages: 10, rate: null },
      { name: 'chat', subscribers: 2, messages: 5, rate: null }
    ]
  })
  now += 2000
  offsets.set('ticks', 16)
  await census.refresh()
  deepEqual(
    census.latest.rows.map(({ rate }) => rate),
    [3, 0]
  )
})

test('of many channels those with the most subscribers are shown', async () => {
  const many = new Map(Array.from({ length: 1000 }, (_, index) => [`channel ${index}`, index] as const))
  const census = new ChannelCensus(fakeView({ channels: async () => many }))
  await census.refresh()
  const { count, rows } = census.latest
  deepEqual([count, rows.length, rows[0]!.subscribers, rows.at(-1)!.subscribers], [1000, 200, 999, 800])
})

test('workers that take long to count their channels are asked less often, and never twice at a time', async (t) => {
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  let asks = 0
  const answer = Promise.withResolvers<Map<string, number>>()
  const channels = (): Promise<Map<string, number>> => {
    asks++
    return answer.promise
  }
  const census = new ChannelCensus(fakeView({ channels }))
  const first = census.refresh()
  await census.refresh()
  equal(asks, 1)
  now += 500
  answer.resolve(new Map())
  await first
  now += 9999
  await census.refresh()
  equal(asks, 1)
  now += 1
  await census.refresh()
  equal(asks, 2)
})
