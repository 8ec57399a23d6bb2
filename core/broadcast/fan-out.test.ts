import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { Hub } from './hub.ts'
import { DEFAULT_SLOW_POLICY } from './subscriptions.ts'
import type { Membership } from './subscriptions.ts'
import { FakeOutbox, unclosed } from './testing/fake-outbox.ts'
import { createHub, loopTurn } from './testing/fake-bus.ts'

interface Client {
  readonly outbox: FakeOutbox
  readonly member: Membership
}

function join(hub: Hub, channel: string, count: number): Client[] {
  return Array.from({ length: count }, () => {
    const outbox = new FakeOutbox()
    const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
    member.subscribe(channel)
    return { outbox, member }
  })
}

function served(clients: readonly Client[]): number {
  return clients.filter(({ outbox }) => outbox.sends > 0).length
}

test('a large fan-out gives way to the loop after each chunk of members', async () => {
  const { bus, hub } = createHub({ chunk: 10 })
  const clients = join(hub, 'ticks', 25)
  await hub.publish('ticks', 1)
  bus.turn()
  equal(served(clients), 10)
  await loopTurn()
  equal(served(clients), 20)
  await loopTurn()
  equal(served(clients), 25)
})

test('channels take turns, so a small one does not wait for a large one', async () => {
  const { bus, hub } = createHub({ chunk: 10 })
  const large = join(hub, 'large', 100)
  const small = join(hub, 'small', 3)
  await hub.publish('large', 1)
  await hub.publish('small', 1)
  bus.turn()
  equal(served(small), 0)
  await loopTurn()
  equal(served(small), 3)
  ok(served(large) < 100)
})

test('what comes during a fan-out follows it as one parcel', async () => {
  const { bus, hub } = createHub({ chunk: 10 })
  const clients = join(hub, 'ticks', 15)
  for (let data = 1; data <= 4; data++) {
    await hub.publish('ticks', data)
    bus.turn()
  }
  for (let turn = 0; turn < 5; turn++) await loopTurn()
  for (const { outbox } of clients) {
    deepEqual(outbox.data, [1, 2, 3, 4])
    equal(outbox.sends, 2)
  }
})

test('who joins during a fan-out gets what is read from then on, who leaves gets nothing more', async () => {
  const { bus, hub } = createHub({ chunk: 4 })
  const clients = join(hub, 'ticks', 20)
  await hub.publish('ticks', 1)
  bus.turn()
  await hub.publish('ticks', 2)
  bus.turn()
  const late = join(hub, 'ticks', 5)
  const gone = clients.filter(({ outbox }, index) => outbox.sends === 0 && index % 2 === 0)
  for (const { member } of gone) member.leave()
  const alreadyServed = clients.find(({ outbox }) => outbox.sends > 0)!
  alreadyServed.member.leave()
  await hub.publish('ticks', 3)
  bus.turn()
  for (let turn = 0; turn < 20; turn++) await loopTurn()
  for (const client of clients) {
    const expected = client === alreadyServed ? [1] : gone.includes(client) ? [] : [1, 2, 3]
    deepEqual(client.outbox.data, expected)
  }
  for (const { outbox } of late) deepEqual(outbox.data, [3])
})

test('who subscribes while a message is being read does not get that one', async () => {
  const { bus, hub } = createHub()
  const [first] = join(hub, 'ticks', 1)
  const outbox = new FakeOutbox()
  const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
  hub.subscribe('ticks', () => member.subscribe('ticks'))
  for (const data of [1, 2, 3]) await hub.publish('ticks', data)
  bus.turn()
  deepEqual(first!.outbox.data, [1, 2, 3])
  deepEqual(outbox.data, [2, 3])
})

test('who unsubscribes and subscribes again before the fan-out misses what was read between', async () => {
  const { bus, hub } = createHub({ chunk: 1 })
  const [client, other] = join(hub, 'ticks', 2)
  await hub.publish('ticks', 1)
  bus.turn()
  client!.member.unsubscribe('ticks')
  client!.member.subscribe('ticks')
  await hub.publish('ticks', 2)
  bus.turn()
  for (let turn = 0; turn < 6; turn++) await loopTurn()
  deepEqual(other!.outbox.data, [1, 2])
  deepEqual(client!.outbox.data, [2])
})

test('the log is not read while too much is pending, and read again later', async () => {
  const { bus, hub } = createHub({ chunk: 1 })
  const clients = join(hub, 'ticks', 2)
  const data = 'x'.repeat(100_000)
  for (let count = 0; count < 30; count++) await hub.publish('ticks', data)
  const first = bus.turn()
  ok(first < 15 && bus.isPaused)
  let turns = 0
  for (; turns < 200 && clients.some(({ outbox }) => outbox.sends < 30); turns++) {
    bus.turn()
    await loopTurn()
  }
  for (const { outbox } of clients) equal(outbox.data.length, 30)
  equal(bus.isPaused, false)
})

test('a channel that loses all members during its fan-out is let go', async () => {
  const { bus, hub } = createHub({ chunk: 1 })
  const clients = join(hub, 'ticks', 3)
  await hub.publish('ticks', 1)
  bus.turn()
  for (const { member } of clients) member.leave()
  await loopTurn()
  const [late] = join(hub, 'ticks', 1)
  await hub.publish('ticks', 2)
  bus.turn()
  deepEqual(late!.outbox.data, [2])
  const { owed, delivered, abandoned } = hub.totals
  deepEqual({ owed, delivered, abandoned }, { owed: 4, delivered: 2, abandoned: 2 })
})

test('ten thousand members leave and come in a time that publishing does not notice', async () => {
  const { bus, hub } = createHub()
  const clients = join(hub, 'ticks', 10_000)
  await hub.publish('ticks', 1)
  bus.turn()
  for (const { member } of clients) member.leave()
  const [client] = join(hub, 'ticks', 1)
  await hub.publish('ticks', 2)
  bus.turn()
  await loopTurn()
  deepEqual(client!.outbox.data, [2])
  equal(hub.totals.members, 1)
})
