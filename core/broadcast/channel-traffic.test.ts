import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { addTraffic, trafficOf } from './channel-traffic.ts'
import { Channel } from './channel.ts'
import { Totals } from './totals.ts'

function channels(count: number, delivered: (index: number) => number): Channel[] {
  return Array.from({ length: count }, (_, index) => {
    const channel = new Channel(`channel ${index}`, null, new Totals())
    channel.traffic.delivered = delivered(index)
    return channel
  })
}

test('of very many channels, only those with the most deliveries are told', () => {
  // Every number once, in no order.
  const told = trafficOf(channels(10_007, (index) => (index * 7919) % 10_007))
  deepEqual(
    told.map(({ delivered }) => delivered),
    Array.from({ length: 50 }, (_, index) => 10_006 - index)
  )
})

test('channels without deliveries are not told', () => {
  equal(trafficOf(channels(3, () => 0)).length, 0)
})

test('what several threads tell is added up, and at most 20 channels are shown', () => {
  const told = trafficOf(channels(40, (index) => index + 1))
  const shown = addTraffic([told, told])
  equal(shown.length, 20)
  deepEqual([shown[0]!.channel, shown[0]!.delivered], ['channel 39', 80])
})
