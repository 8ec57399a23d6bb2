import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../core/bus/testing/reader.ts'
import { type Instance, join } from './instances.ts'

const RULE = { history: { size: 1000, age: 60 } }

/** Two instances of one server, where there can be two; otherwise the same one twice. */
export type StartInstances = (t: TestContext) => Promise<readonly [Instance, Instance]>

/** What holds whatever carries the messages. */
export function testContract(name: string, start: StartInstances): void {
  const it = (
    sentence: string,
    run: (t: TestContext, one: Instance, other: Instance) => Promise<void>
  ): void => {
    test(`${name}: ${sentence}`, async (t) => run(t, ...(await start(t))))
  }

  it('every subscriber of every thread and instance gets all messages in one order', async (_t, one, other) => {
    const hubs = [...one.hubs, ...other.hubs]
    const members = await Promise.all(hubs.map((hub) => join(hub, 'ticks')))
    const published = await Promise.all(
      Array.from({ length: 200 }, (_, index) => hubs[index % hubs.length]!.publish('ticks', index))
    )
    await until(() => members.every(({ offsets }) => offsets.length === 200))
    const [first] = members
    deepEqual(
      first!.offsets,
      Array.from({ length: 200 }, (_, index) => index + 1)
    )
    for (const { told } of members) deepEqual(told, first!.told)
    equal(new Set(published.map(({ epoch }) => epoch)).size, 1)
    for (const [index, { offset }] of published.entries()) equal(first!.told[offset - 1]!.data, index)
  })

  it('messages of one thread come in the order in which it published them', async (_t, one, other) => {
    const { outbox } = await join(other.hubs[0]!, 'ticks')
    const expected = Array.from({ length: 500 }, (_, index) => index)
    await Promise.all(expected.map((index) => one.hubs[0]!.publish('ticks', index)))
    await until(() => outbox.data.length === 500)
    deepEqual(outbox.data, expected)
  })

  it('text, bytes, keys and large messages come as they were', async (_t, one, other) => {
    const member = await join(other.hubs[0]!, 'ticks')
    const heard: unknown[] = []
    other.hubs[1]!.hub.subscribe('ticks', ({ data, isBinary, key }) => void heard.push([data, isBinary, key]))
    await other.hubs[1]!.hub.prepare(['ticks'])
    const large = 'x'.repeat(3_000_000)
    await one.hubs[0]!.publish('ticks', { price: 1, text: 'ü' }, { key: 'a' })
    await one.hubs[0]!.publish('ticks', Buffer.from([0, 255]))
    await one.hubs[0]!.publish('ticks', large)
    await until(() => heard.length === 3)
    await until(() => member.outbox.wire.length === 3)
    deepEqual(heard, [
      [{ price: 1, text: 'ü' }, false, 'a'],
      [Buffer.from([0, 255]), true, null],
      [large, false, null]
    ])
  })

  it('what is broadcast reaches everybody', async (_t, one, other) => {
    const members = await Promise.all([...one.hubs, ...other.hubs].map((hub) => join(hub)))
    equal((await one.hubs[0]!.hub.broadcast('all')).offset, 1)
    await until(() => members.every(({ told }) => told.length === 1))
    for (const { told } of members) deepEqual(told, [{ offset: 1, data: 'all' }])
  })

  it('a history can be read at every instance, in parts, and says what it lacks', async (_t, one, other) => {
    for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', { history: { size: 5, age: 60 } })
    const { hub } = other.hubs[1]!
    const { epoch } = await hub.history('ticks')
    for (let price = 1; price <= 8; price++) await one.hubs[0]!.publish('ticks', price)
    const read = async (offset: number, limit: number, of: string = epoch): Promise<unknown> => {
      const { messages, isComplete } = await hub.history('ticks', { since: { epoch: of, offset }, limit })
      return [messages.map(({ data }) => data), isComplete]
    }
    deepEqual(await read(3, 10), [[4, 5, 6, 7, 8], true])
    deepEqual(await read(2, 10), [[4, 5, 6, 7, 8], false])
    deepEqual(await read(3, 2), [[4, 5], false])
    deepEqual(await read(8, 2), [[], true])
    deepEqual(await read(99, 10, 'older'), [[4, 5, 6, 7, 8], false])
    const { messages, ...rest } = await hub.history('ticks', { limit: 2 })
    deepEqual(
      messages.map(({ offset, data, isBinary }) => [offset, data, isBinary]),
      [
        [7, 7, false],
        [8, 8, false]
      ]
    )
    deepEqual(rest, { epoch, offset: 8, isComplete: false })
    await rejects(hub.history('ticks', { since: { epoch, offset: 9 } }), { code: 'SCZ_ERR_HUB_OFFSET' })
  })

  it('what is too old is not to be had', async (_t, one, other) => {
    for (const { hubs } of [one, other]) hubs[0]!.channel('short', { history: { size: 100, age: 0.2 } })
    await one.hubs[0]!.publish('short', 1)
    await delay(400)
    const place = await one.hubs[0]!.publish('short', 2)
    const { messages } = await other.hubs[0]!.hub.history('short')
    deepEqual(
      messages.map(({ offset }) => offset),
      [place.offset]
    )
  })

  it('a channel without a rule keeps nothing, and its place is known', async (_t, one, other) => {
    const { epoch } = await one.hubs[0]!.publish('plain', 1)
    await one.hubs[0]!.publish('plain', 2)
    deepEqual(await other.hubs[0]!.hub.history('plain'), {
      epoch,
      offset: 2,
      messages: [],
      isComplete: false
    })
    const client = await join(other.hubs[0]!)
    deepEqual(await client.member.subscribe('plain', { epoch, offset: 1 }), {
      epoch,
      offset: 2,
      count: 0,
      lost: { from: 2, to: 2 },
      error: null
    })
    equal(client.told.length, 2)
  })

  it('a channel that has had no message has its place already', async (_t, one, other) => {
    const { epoch, offset } = await one.hubs[0]!.hub.history('new')
    equal(offset, 0)
    deepEqual(await other.hubs[0]!.publish('new', 1), { epoch, offset: 1 })
  })

  it('a subscriber that comes back with a place of another epoch is told', async (_t, one, other) => {
    const { epoch } = await one.hubs[0]!.publish('ticks', 1)
    const client = await join(other.hubs[0]!)
    await client.member.subscribe('ticks', { epoch: 'of yesterday', offset: 7 })
    deepEqual(client.told, [
      { channel: 'ticks', subscribed: { epoch, offset: 1 } },
      { channel: 'ticks', epoch, lost: { from: 1, to: 1 } }
    ])
    await one.hubs[0]!.publish('ticks', 2)
    await until(() => client.offsets.length === 1)
  })

  it('a subscriber that hops between instances while messages flow misses nothing and gets nothing twice', async (_t, one, other) => {
    for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
    const publisher = one.hubs[0]!
    const { epoch } = await publisher.publish('ticks', 0)
    const hubs = [one.hubs[1]!, other.hubs[0]!, other.hubs[1]!]
    const got: number[] = []
    let last = 1
    for (let round = 0; round < 12; round++) {
      const client = await join(hubs[round % hubs.length]!)
      const flow = Array.from({ length: 100 }, () => publisher.publish('ticks', 0))
      await client.member.subscribe('ticks', { epoch, offset: last })
      flow.push(...Array.from({ length: 50 }, () => other.hubs[0]!.publish('ticks', 0)))
      await Promise.all(flow.slice(0, 50))
      await until(() => client.offsets.length > 0)
      client.member.leave()
      got.push(...client.offsets)
      last = got.at(-1)!
      await Promise.all(flow)
    }
    ok(got.length > 100)
    got.forEach((offset, index) => equal(offset, index + 2))
  })

  it('what has the same idempotency key is published once, whoever sends it again', async (_t, one, other) => {
    for (const { hubs } of [one, other]) hubs[0]!.channel('kept', RULE)
    const hubs = [...one.hubs, ...other.hubs]
    for (const channel of ['plain', 'kept']) {
      const member = await join(other.hubs[0]!, channel)
      const once = { idempotencyKey: 'a}:o' }
      const all = await Promise.all(hubs.map((hub) => hub.publish(channel, 'first', once)))
      const { epoch } = all[0]!
      deepEqual(all.map(({ offset, duplicate = false }) => [offset, duplicate]).toSorted(), [
        [1, false],
        ...hubs.slice(1).map(() => [1, true])
      ])
      // Its place is known when the channel has nothing of it any more.
      deepEqual(await one.hubs[0]!.publish(channel, 'second', { key: 'k' }), { epoch, offset: 2 })
      for (const hub of hubs)
        deepEqual(await hub.publish(channel, 'again', once), { epoch, offset: 1, duplicate: true })
      deepEqual(await other.hubs[1]!.publish(channel, 'third', { idempotencyKey: 'b' }), { epoch, offset: 3 })
      await until(() => member.offsets.length === 3)
      deepEqual(member.outbox.data, ['first', 'second', 'third'])
    }
  })

  it('messages with and without idempotency keys keep their order', async (_t, one, other) => {
    const { outbox } = await join(other.hubs[0]!, 'ticks')
    const expected = Array.from({ length: 60 }, (_, index) => index)
    await Promise.all(
      expected.map((index) =>
        one.hubs[0]!.publish('ticks', index, index % 3 === 0 ? { idempotencyKey: String(index) } : {})
      )
    )
    await until(() => outbox.data.length === expected.length)
    deepEqual(outbox.data, expected)
  })

  it('channels are apart, whatever their names', async (_t, one, other) => {
    const names = ['a', 'a:b', '{x}', '}{', 'ü ☃', 'a.b.>', '*', 'x'.repeat(1024)]
    const members = await Promise.all(names.map((name) => join(other.hubs[0]!, name)))
    const places = await Promise.all(names.map((name) => one.hubs[0]!.publish(name, name)))
    await until(() => members.every(({ told }) => told.length === 1))
    for (const [index, { told }] of members.entries())
      deepEqual(told, [{ channel: names[index], offset: 1, data: names[index] }])
    for (const { offset } of places) equal(offset, 1)
  })

  it('who is in a channel is known everywhere, and is there from the first socket to the last', async (_t, one, other) => {
    const hubs = [...one.hubs, ...other.hubs]
    for (const hub of hubs) hub.channel('room:*', { presence: { interval: 10 } })
    const ada = { id: 'ada', data: '{"name":"Ada"}' }
    const bob = { id: 'bob', data: null }
    const early = await join(other.hubs[0]!)
    early.member.watchPresence('room:a')
    for (const hub of hubs.slice(0, 3)) hub.attendance.enter('room:a', ada)
    await until(() => early.presence.size === 1)
    hubs[3]!.attendance.enter('room:a', bob)
    const late = await join(one.hubs[1]!)
    late.member.watchPresence('room:a')
    for (const watcher of [early, late]) await until(() => watcher.presence.size === 2)
    for (const { hub } of hubs) {
      const { count, members } = await hub.presence('room:a')
      equal(count, 2)
      deepEqual(
        members?.find(({ id }) => id === 'ada'),
        { id: 'ada', data: { name: 'Ada' } }
      )
    }
    for (const hub of hubs.slice(0, 2)) hub.attendance.leave('room:a', 'ada')
    hubs[3]!.attendance.leave('room:a', 'bob')
    for (const watcher of [early, late]) await until(() => watcher.presence.size === 1)
    hubs[2]!.attendance.leave('room:a', 'ada')
    for (const watcher of [early, late]) await until(() => watcher.presence.size === 0)
    deepEqual(early.left, ['bob', 'ada'])
  })

  it('the members of an instance go with it', async (_t, one, other) => {
    if (one === other) return
    for (const { hubs } of [one, other]) hubs[0]!.channel('room:*', { presence: { interval: 10 } })
    const watcher = await join(one.hubs[0]!)
    watcher.member.watchPresence('room:a')
    other.hubs[0]!.attendance.enter('room:a', { id: 'ada', data: null })
    await until(() => watcher.presence.size === 1)
    await other.center.close()
    await until(() => watcher.presence.size === 0)
  })

  it('the sockets of an identity are reached at every instance', async (_t, one, other) => {
    const controls: unknown[] = []
    for (const hub of new Set([...one.hubs, ...other.hubs])) {
      hub.onControl = (control) => {
        controls.push(control)
        return 1
      }
    }
    const control = { action: 'send', identity: 'ada', data: Buffer.from([1, 255]) } as const
    const expected = new Set([...one.hubs, ...other.hubs]).size
    equal(await one.hubs[0]!.control(control), expected)
    equal(controls.length, expected)
    for (const each of controls) deepEqual({ ...(each as object), data: null }, { ...control, data: null })
  })
}
