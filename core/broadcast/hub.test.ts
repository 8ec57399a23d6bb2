import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { test } from 'node:test'
import type { HubMessage } from './hub.ts'
import { DEFAULT_SLOW_POLICY } from './subscriptions.ts'
import { FakeOutbox, unclosed } from './testing/fake-outbox.ts'
import { createHub } from './testing/fake-bus.ts'

const ignore = (): void => {}

test('a member gets what is published in its channels, with channel and offset', async () => {
  const { bus, hub } = createHub()
  const outbox = new FakeOutbox()
  hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed).subscribe('ticks')
  await hub.publish('other', 0)
  deepEqual(await hub.publish('ticks', { price: 1 }), { epoch: 'epoch', offset: 1 })
  await hub.publish('ticks', 'one "word"')
  bus.turn()
  deepEqual(outbox.messages, [
    { channel: 'ticks', offset: 1, data: { price: 1 } },
    { channel: 'ticks', offset: 2, data: 'one "word"' }
  ])
  equal(outbox.sends, 1, 'messages of one turn are handed over together')
})

test('all members get what is broadcast, in an envelope without a channel', async () => {
  const { bus, hub } = createHub()
  const outboxes = [new FakeOutbox(), new FakeOutbox()]
  for (const outbox of outboxes) hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
  await hub.broadcast('all')
  bus.turn()
  for (const { messages } of outboxes) deepEqual(messages, [{ offset: 1, data: 'all' }])
  deepEqual(hub.counts(), new Map())
})

test('bytes come as a binary message, behind the name of the channel and the offset', async () => {
  const { bus, hub } = createHub()
  const outbox = new FakeOutbox()
  hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed).subscribe('é')
  await hub.publish('é', new Uint8Array([1, 2, 3]))
  await hub.broadcast(Buffer.from([4]))
  bus.turn()
  deepEqual(outbox.messages, [
    Buffer.from([0, 2, 0xc3, 0xa9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3]),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4])
  ])
})

test('any channel name makes a valid envelope', async () => {
  for (const channel of ['"', '\\', '\n', 'é', '😀', '\u2028', 'a\0b', '__proto__']) {
    const { bus, hub } = createHub()
    const outbox = new FakeOutbox()
    hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed).subscribe(channel)
    await hub.publish(channel, null)
    bus.turn()
    deepEqual(outbox.messages, [{ channel, offset: 1, data: null }])
  }
})

test('a name that the log would change or refuse is no channel', async () => {
  const { hub } = createHub()
  const member = hub.join(new FakeOutbox(), DEFAULT_SLOW_POLICY, unclosed)
  for (const channel of ['', '\ud83d', 'é'.repeat(513), 7 as unknown as string]) {
    await rejects(hub.publish(channel, 1), { code: 'SCZ_ERR_HUB_CHANNEL' })
    throws(() => hub.subscribe(channel, ignore), { code: 'SCZ_ERR_HUB_CHANNEL' })
    throws(() => member.subscribe(channel), { code: 'SCZ_ERR_HUB_CHANNEL' })
  }
  await hub.publish('é'.repeat(512), 1)
})

test('what JSON cannot hold is refused, and nothing is published', async () => {
  const { bus, hub } = createHub()
  const circular: { self?: unknown } = {}
  circular.self = circular
  for (const data of [undefined, ignore, Symbol('s'), 1n, circular, new ArrayBuffer(1), new Uint16Array(1)]) {
    await rejects(hub.publish('ticks', data), { code: 'SCZ_ERR_HUB_DATA' })
    await rejects(hub.broadcast(data), { code: 'SCZ_ERR_HUB_DATA' })
  }
  equal(bus.turn(), 0)
  equal(hub.totals.published, 0)
})

test('listeners on the server get what was published', async () => {
  const { bus, hub } = createHub()
  const got: HubMessage[] = []
  const stop = hub.subscribe('ticks', (message) => void got.push(message))
  await hub.publish('ticks', { price: 1 }, { key: 'a' })
  await hub.publish('ticks', Buffer.from('bytes'))
  bus.turn()
  stop()
  await hub.publish('ticks', 'late')
  bus.turn()
  const common = { channel: 'ticks', epoch: 'epoch', time: 1_700_000_000_000 }
  deepEqual(got, [
    { ...common, offset: 1, data: { price: 1 }, isBinary: false, key: 'a' },
    { ...common, offset: 2, data: Buffer.from('bytes'), isBinary: true, key: null }
  ])
})

test('a listener that fails hurts nobody', async () => {
  const { bus, hub, errors } = createHub()
  const got: unknown[] = []
  hub.subscribe('ticks', () => {
    throw new Error('out of tea')
  })
  hub.subscribe('ticks', async () => {
    throw new Error('out of milk')
  })
  hub.subscribe('ticks', ({ data }) => void got.push(data))
  const outbox = new FakeOutbox()
  hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed).subscribe('ticks')
  await hub.publish('ticks', 1)
  bus.turn()
  await Promise.resolve()
  deepEqual(got, [1])
  deepEqual(outbox.data, [1])
  deepEqual(errors, Array(2).fill('A listener of the channel ticks failed'))
})

test('a listener that is taken out by another one gets nothing more', async () => {
  const { bus, hub } = createHub()
  const got: string[] = []
  hub.subscribe('ticks', () => {
    got.push('first')
    stop()
  })
  const stop = hub.subscribe('ticks', () => void got.push('second'))
  await hub.publish('ticks', 1)
  bus.turn()
  deepEqual(got, ['first'])
})

test('channels are counted by members, and forgotten with the last one', async () => {
  const { bus, hub } = createHub()
  const members = Array.from({ length: 3 }, () => hub.join(new FakeOutbox(), DEFAULT_SLOW_POLICY, unclosed))
  for (const member of members) member.subscribe('ticks')
  members[0]!.subscribe('ticks')
  members[0]!.subscribe('chat')
  deepEqual(
    hub.counts(),
    new Map([
      ['ticks', 3],
      ['chat', 1]
    ])
  )
  equal(hub.totals.subscriptions, 4)
  members[0]!.leave()
  members[0]!.leave()
  members[1]!.unsubscribe('ticks')
  members[1]!.unsubscribe('ticks')
  deepEqual(hub.counts(), new Map([['ticks', 1]]))
  members[2]!.leave()
  await hub.publish('ticks', 1)
  bus.turn()
  deepEqual(hub.counts(), new Map())
  const { owed, members: count, subscriptions } = hub.totals
  deepEqual({ owed, count, subscriptions }, { owed: 0, count: 1, subscriptions: 0 })
})

test('a member may have many channels, each taken and given up by itself', async () => {
  const { bus, hub } = createHub()
  const outbox = new FakeOutbox()
  const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
  const names = Array.from({ length: 50 }, (_, index) => `channel ${index}`)
  for (const name of names) member.subscribe(name)
  for (const name of names) member.subscribe(name)
  for (const name of names.slice(0, 45)) member.unsubscribe(name)
  for (const name of names) await hub.publish(name, name)
  bus.turn()
  deepEqual(outbox.data, names.slice(45))
})

test('a hole in the offsets is counted and told once', async () => {
  const { bus, hub, errors } = createHub()
  hub.subscribe('ticks', ignore)
  for (let index = 0; index < 2; index++) {
    await hub.publish('ticks', 1)
    bus.lose('ticks')
  }
  await hub.publish('ticks', 1)
  bus.turn()
  equal(hub.totals.holes, 2)
  deepEqual(errors, ['The log has a hole in the channel ticks'])
})

test('closing the hub closes its bus', () => {
  const { bus, hub } = createHub()
  hub.close()
  ok(bus.isClosed)
})

test('an idempotency key that is none is an error with a code, by the promise', async () => {
  const { hub, bus } = createHub()
  for (const idempotencyKey of ['', 7 as never, null as never, '\ud83d', 'é'.repeat(128)])
    await rejects(hub.publish('ticks', 1, { idempotencyKey }), { code: 'SCZ_ERR_HUB_IDEMPOTENCY_KEY' })
  await hub.publish('ticks', 1, { idempotencyKey: 'é'.repeat(127) })
  equal(bus.published, 1)
})
