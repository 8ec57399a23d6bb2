import { deepEqual, equal, ok } from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Bus, createBus, joinBus } from '../bus.ts'
import type { JoinedBus } from '../bus.ts'
import { FakeBroker } from '../testing/fake-broker.ts'
import { until } from '../testing/reader.ts'
import { Relay } from './relay.ts'

interface Setup {
  readonly broker: FakeBroker
  readonly relay: Relay
  readonly bus: Bus
  readonly reader: JoinedBus
  /** What a thread has read: offsets, and gaps as texts. */
  readonly seen: (number | string)[]
}

async function open(t: TestContext, size: number): Promise<Setup> {
  const broker = new FakeBroker()
  const relay = new Relay(broker, () => (size === 0 ? null : { size, age: 60 }))
  const bus = createBus({ relay })
  const reader = joinBus(bus.connect(1))
  t.after(async () => {
    reader.close()
    bus.close()
    await relay.close()
  })
  const seen: (number | string)[] = []
  await relay.connect({ onSignal: () => {}, onNotice: () => {} })
  await reader.read({
    onRecord: ({ offset, gap, epoch }) =>
      void seen.push(
        gap === null ? offset : `${gap.from}-${gap.to}${gap.isNewEpoch ? ` of ${Number(epoch)}` : ''}`
      )
  })
  await relay.follow(['a'])
  return { broker, relay, bus, reader, seen }
}

async function publish({ bus }: Setup, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => bus.publish('a', 'x')))
}

test('what a delivery shows to be missing is fetched before it goes on', async (t) => {
  const setup = await open(t, 100)
  await publish(setup, 2)
  setup.broker.isLossy = true
  await publish(setup, 3)
  setup.broker.isLossy = false
  await publish(setup, 2)
  await until(() => setup.seen.length === 7)
  deepEqual(setup.seen, [1, 2, 3, 4, 5, 6, 7])
  setup.broker.repeat('a', 3)
  await publish(setup, 1)
  await until(() => setup.seen.length === 8)
  deepEqual(setup.seen.at(-1), 8)
})

test('what is not kept any more is told in its place', async (t) => {
  const setup = await open(t, 2)
  await publish(setup, 1)
  setup.broker.isLossy = true
  await publish(setup, 5)
  setup.broker.isLossy = false
  setup.broker.return()
  await until(() => setup.seen.length === 4)
  deepEqual(setup.seen, [1, '2-4', 5, 6])
  equal(setup.relay.lost, 3)
})

test('a channel that keeps nothing loses no more than what was not delivered', async (t) => {
  const setup = await open(t, 0)
  await publish(setup, 1)
  setup.broker.isLossy = true
  await publish(setup, 2)
  setup.broker.isLossy = false
  await publish(setup, 2)
  await until(() => setup.seen.length === 4)
  deepEqual(setup.seen, [1, '2-3', 4, 5])
})

test('a channel that has begun anew, or gone back, is told to have', async (t) => {
  const setup = await open(t, 100)
  await publish(setup, 3)
  setup.broker.flush()
  await publish(setup, 2)
  await until(() => setup.seen.length === 6)
  setup.broker.putBack('a', 1)
  setup.broker.return()
  await until(() => setup.seen.length === 7)
  await publish(setup, 1)
  await until(() => setup.seen.length === 8)
  deepEqual(setup.seen, [1, 2, 3, '1-0 of 2', 1, 2, '1-0 of 3', 1])
})

test('a page of the past comes with a position at which all of it has been met', async (t) => {
  const setup = await open(t, 100)
  await publish(setup, 3)
  setup.broker.isLossy = true
  await publish(setup, 2)
  const { past, position } = await setup.relay.past('a', { epoch: null, after: 1, limit: 10, maxBytes: 1e9 })
  deepEqual(
    past.messages.map(({ offset }) => offset),
    [2, 3, 4, 5]
  )
  equal(position, 5)
  await until(() => setup.seen.length === 5)
})

test('what a log that is full did not take is fetched when it has room', async (t) => {
  const setup = await open(t, 1000)
  const { broker, reader, relay, seen } = setup
  reader.pause()
  const data = Buffer.alloc(1_000_000)
  for (let index = 0; index < 80; index++) {
    await broker.publish({
      channel: 'a',
      data,
      isText: false,
      key: '',
      meta: '',
      idempotencyKey: '',
      retention: null
    })
  }
  await until(() => relay.isBlocked)
  const level = relay.past('a', { epoch: null, after: 79, limit: 1, maxBytes: 1 })
  reader.resume()
  await until(() => seen.length === 80)
  ok(seen.every((offset, index) => offset === index + 1))
  equal((await level).position, 80)
})

test('answers come in the order in which a thread has published, errors too', async (t) => {
  const { bus, broker } = await open(t, 100)
  const refuse = broker.publish.bind(broker)
  broker.publish = async (message) => {
    if (message.key === 'bad') throw new Error('it is full')
    return refuse(message)
  }
  const outcomes = await Promise.allSettled(['', 'bad', ''].map((key) => bus.publish('b', 'x', { key })))
  deepEqual(
    outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value.offset : outcome.reason.message
    ),
    [1, 'The broker did not do it: it is full', 2]
  )
})
