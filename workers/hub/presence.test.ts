import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import type { Subscriber } from '../../core/broadcast/subscriber.ts'
import { DEFAULT_SLOW_POLICY, type SlowPolicy } from '../../core/broadcast/subscriptions.ts'
import { FakeOutbox } from '../../core/broadcast/testing/fake-outbox.ts'
import { PresenceView } from '../../core/broadcast/testing/presence-view.ts'
import { until } from '../../core/bus/testing/reader.ts'
import { createLog } from '../log.ts'
import { HubCenter } from './hub-center.ts'
import { ThreadHub } from './thread-hub.ts'

const log = createLog({ logFormat: 'json', logLevel: 'silent' }, null)
const centerSettings = { historyBytes: 1_000_000, idempotencyWindow: 300, idempotencyKeys: 1000 }
const settings = { adapterBufferMultiplierPerCpu: 64 }

interface Setup {
  readonly center: HubCenter
  readonly hubs: ThreadHub[]
  readonly connect: () => Promise<ThreadHub>
  readonly close: () => void
}

async function open(threads: number, interval = 10): Promise<Setup> {
  const center = new HubCenter(fail, centerSettings)
  const hubs: ThreadHub[] = []
  const connect = async (): Promise<ThreadHub> => {
    const hub = new ThreadHub(center.connect(), settings, log)
    hub.channel('room:*', { presence: { interval } })
    hub.channel('crowd', { presence: { interval, maxMembers: 2 } })
    await hub.serve()
    hubs.push(hub)
    return hub
  }
  for (let thread = 0; thread < threads; thread++) await connect()
  const close = (): void => {
    for (const hub of hubs) hub.close()
    center.close()
  }
  return { center, hubs, connect, close }
}

async function opened(t: TestContext, threads: number, interval?: number): Promise<Setup> {
  const setup = await open(threads, interval)
  t.after(setup.close)
  return setup
}

/** Somebody who watches, and what it is told. */
class Watcher {
  readonly outbox: FakeOutbox = new FakeOutbox()
  readonly member: Subscriber
  code: number | null = null

  constructor({ hub }: ThreadHub, policy: Partial<SlowPolicy> = {}) {
    this.member = hub.join(this.outbox, { ...DEFAULT_SLOW_POLICY, ...policy }, this)
  }

  close(code: number): void {
    this.code = code
  }

  get told(): unknown[] {
    return this.outbox.messages.flatMap((message) => (message as { presence?: unknown }).presence ?? [])
  }

  get view(): PresenceView {
    const view = new PresenceView()
    for (const told of this.told) view.take(told)
    return view
  }

  get ids(): string[] {
    return [...(this.view.members?.keys() ?? [])].toSorted()
  }
}

const shown = (id: string): { id: string; data: null } => ({ id, data: null })

test('who watches gets the state and then the changes, on every thread', async (t) => {
  const { center, hubs } = await opened(t, 2)
  hubs[0]!.attendance.enter('room:a', shown('ada'))
  await until(() => center.present === 1)
  const watchers = hubs.map((hub) => new Watcher(hub))
  for (const { member } of watchers) member.watchPresence('room:a')
  await until(() => watchers.every(({ told }) => told.length === 1))
  hubs[1]!.attendance.enter('room:a', shown('bob'))
  await until(() => watchers.every(({ told }) => told.length === 2))
  hubs[0]!.attendance.leave('room:a', 'ada')
  await until(() => watchers.every(({ told }) => told.length === 3))
  for (const { told, outbox } of watchers) {
    deepEqual(told, [
      { count: 1, members: [{ id: 'ada' }] },
      { count: 2, joined: [{ id: 'bob' }] },
      { count: 1, left: ['ada'] }
    ])
    ok(outbox.messages.every((message) => (message as { channel: string }).channel === 'room:a'))
  }
  deepEqual(await center.channels(), new Map(), 'those who watch are no subscribers')
  equal(center.presenceTold, 2)
  equal(center.present, 1)
})

test('nothing is told where nobody watches any more', async (t) => {
  const { center, hubs } = await opened(t, 1)
  const watcher = new Watcher(hubs[0]!)
  watcher.member.watchPresence('room:a')
  await until(() => watcher.told.length === 1)
  watcher.member.unwatchPresence('room:a')
  hubs[0]!.attendance.enter('room:a', shown('ada'))
  await until(() => center.present === 1)
  await delay(30)
  equal(center.presenceTold, 0)
  equal(center.published, 0)
  watcher.member.watchPresence('room:a')
  await until(() => watcher.told.length === 2)
  deepEqual(watcher.told[1], { count: 1, members: [{ id: 'ada' }] })
})

test('those of a thread that ends leave, unless they are back on another within the interval', async (t) => {
  const { hubs } = await opened(t, 3, 200)
  const watcher = new Watcher(hubs[0]!)
  watcher.member.watchPresence('room:a')
  for (const id of ['ada', 'bob']) hubs[1]!.attendance.enter('room:a', shown(id))
  hubs[2]!.attendance.enter('room:a', shown('cyd'))
  await until(() => watcher.ids.length === 3)
  hubs[1]!.close()
  hubs[2]!.attendance.enter('room:a', shown('ada'))
  await until(() => watcher.ids.length === 2)
  deepEqual(watcher.told.at(-1), { count: 2, left: ['bob'] })
  deepEqual(watcher.ids, ['ada', 'cyd'])
})

test('changes within an interval are told in one message', async (t) => {
  const { hubs } = await opened(t, 1, 100)
  const watcher = new Watcher(hubs[0]!)
  watcher.member.watchPresence('room:a')
  await until(() => watcher.told.length === 1)
  for (let turn = 0; turn < 20; turn++) {
    hubs[0]!.attendance.enter('room:a', shown(`${turn}`))
    hubs[0]!.attendance.enter('room:a', shown('restless'))
    await delay(1)
    hubs[0]!.attendance.leave('room:a', 'restless')
  }
  await until(() => watcher.ids.filter((id) => id !== 'restless').length === 20)
  ok(watcher.told.length <= 12, `${watcher.told.length} messages for 60 changes`)
})

test('of a crowd only the number is told, and its members once it is small again', async (t) => {
  const { center, hubs } = await opened(t, 1)
  const watcher = new Watcher(hubs[0]!)
  watcher.member.watchPresence('crowd')
  for (const id of ['ada', 'bob', 'cyd']) hubs[0]!.attendance.enter('crowd', shown(id))
  await until(() => watcher.view.count === 3)
  deepEqual(watcher.told.at(-1), { count: 3 })
  deepEqual(await center.hub.presence('crowd'), { count: 3, members: null })
  for (const id of ['ada', 'bob']) hubs[0]!.attendance.leave('crowd', id)
  await until(() => watcher.view.count === 1)
  deepEqual(watcher.told.at(-1), { count: 1, members: [{ id: 'cyd' }] })
})

for (const policy of ['skip', 'latest'] as const) {
  test(`who reads too slowly for the changes gets the state anew (${policy})`, async (t) => {
    const { hubs } = await opened(t, 1)
    const slow = new Watcher(hubs[0]!, { policy, maxBytes: 150 })
    const quick = new Watcher(hubs[0]!)
    for (const { member } of [slow, quick]) member.watchPresence('room:a')
    await until(() => slow.told.length === 1 && quick.told.length === 1)
    slow.outbox.stall()
    for (let index = 0; index < 10; index++) {
      hubs[0]!.attendance.enter('room:a', shown(`member ${index}`))
      await until(() => quick.ids.length === index + 1)
    }
    slow.outbox.drain()
    await until(() => slow.view.count === 10)
    deepEqual(slow.ids, quick.ids)
    equal(slow.told.length, 2)
    ok('members' in (slow.told[1] as object))
    ok(!slow.outbox.messages.some((message) => 'skipped' in (message as object)))
    hubs[0]!.attendance.enter('room:a', shown('late'))
    await until(() => slow.ids.includes('late'))
    const { owed, delivered, skipped, abandoned, held } = hubs[0]!.hub.totals
    equal(owed, delivered + skipped + abandoned + held)
  })
}

test('a channel without the rule, and one that is none, are errors with a code', async (t) => {
  const { center, hubs } = await opened(t, 1)
  const { member } = new Watcher(hubs[0]!)
  const long = `room:${'x'.repeat(1019)}`
  for (const channel of ['ticks', 'room:', long]) {
    throws(() => member.watchPresence(channel), { code: 'SCZ_ERR_HUB_PRESENCE' })
    await rejects(hubs[0]!.hub.presence(channel), { code: 'SCZ_ERR_HUB_PRESENCE' })
    await rejects(center.hub.presence(channel), { code: 'SCZ_ERR_HUB_PRESENCE' })
  }
  for (const channel of ['', '\0room:a', 7 as never]) {
    throws(() => member.watchPresence(channel), { code: 'SCZ_ERR_HUB_CHANNEL' })
    await rejects(hubs[0]!.hub.presence(channel), { code: 'SCZ_ERR_HUB_CHANNEL' })
  }
  member.watchPresence(long.slice(0, 1023))
})

test('nobody can subscribe to, publish in, or leave what carries the changes', async (t) => {
  const { hubs } = await opened(t, 1)
  const watcher = new Watcher(hubs[0]!)
  watcher.member.watchPresence('room:a')
  await until(() => watcher.told.length === 1)
  throws(() => watcher.member.subscribe('\0room:a'), { code: 'SCZ_ERR_HUB_CHANNEL' })
  await rejects(hubs[0]!.publish('\0room:a', { count: 7 }), { code: 'SCZ_ERR_HUB_CHANNEL' })
  throws(() => hubs[0]!.hub.subscribe('\0room:a', () => {}), { code: 'SCZ_ERR_HUB_CHANNEL' })
  watcher.member.unsubscribe('\0room:a')
  hubs[0]!.attendance.enter('room:a', shown('ada'))
  await until(() => watcher.told.length === 2)
})

const IDS = ['ada', 'bob', 'cyd', 'dan']
const step = fc.oneof(
  ...(['enter', 'leave'] as const).map((name) => ({
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant(name),
      thread: fc.nat(1),
      id: fc.constantFrom(...IDS),
      index: fc.nat(9)
    })
  })),
  ...(['watch', 'unwatch', 'stall', 'drain', 'wait', 'end'] as const).map((name) => ({
    weight: name === 'end' ? 1 : 2,
    arbitrary: fc.record({
      do: fc.constant(name),
      thread: fc.nat(1),
      id: fc.constant(''),
      index: fc.nat(9)
    })
  }))
)

test('whatever happens, all who watch end with what is true', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 50, size: 'max' }),
      fc.constantFrom('room:a', 'crowd'),
      async (steps, channel) => {
        const { center, hubs, connect, close } = await open(2)
        const live = [...hubs]
        let inside: { hub: ThreadHub; id: string }[] = []
        let watchers: { hub: ThreadHub; watcher: Watcher }[] = []
        try {
          for (const { do: action, thread, id, index } of steps) {
            const hub = live[thread]!
            const chosen = watchers[index % Math.max(watchers.length, 1)]?.watcher
            if (action === 'enter') {
              inside.push({ hub, id })
              hub.attendance.enter(channel, shown(id))
            } else if (action === 'leave') {
              const gone = inside.find((each) => each.hub === hub && each.id === id)
              if (gone === undefined) continue
              inside = inside.filter((each) => each !== gone)
              hub.attendance.leave(channel, id)
            } else if (action === 'watch') {
              const policy = (['skip', 'latest'] as const)[index % 2]!
              const watcher = new Watcher(hub, { policy, maxBytes: 100 })
              watcher.member.watchPresence(channel)
              watchers.push({ hub, watcher })
            } else if (action === 'unwatch') {
              chosen?.member.unwatchPresence(channel)
              watchers = watchers.filter(({ watcher }) => watcher !== chosen)
            } else if (action === 'stall') chosen?.outbox.stall()
            else if (action === 'drain') chosen?.outbox.drain()
            else if (action === 'wait') await delay(3 * index)
            else {
              inside = inside.filter((each) => each.hub !== hub)
              watchers = watchers.filter((each) => each.hub !== hub)
              hub.close()
              live[thread] = await connect()
            }
          }
          for (const { watcher } of watchers) watcher.outbox.drain()
          const truth = [...new Set(inside.map(({ id }) => id))].toSorted()
          await until(() => center.present === truth.length)
          for (const { watcher } of watchers) {
            await until(() => {
              // What it is told while it can't take anything is on its way again.
              watcher.outbox.drain()
              const { count, members } = watcher.view
              return count === truth.length && (members === null || watcher.ids.join() === truth.join())
            })
            if (channel === 'room:a') deepEqual(watcher.ids, truth)
          }
        } finally {
          close()
        }
      }
    ),
    { numRuns: 40 }
  )
})

function fail(error: unknown): never {
  throw error
}
