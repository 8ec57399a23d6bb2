import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { setTimeout as delay } from 'node:timers/promises'
import type { Format } from './format.ts'
import type { Hub } from './hub.ts'
import { formats, LONGEST_WAIT } from './testing/formats.ts'
import { isTagged } from './wrapping.ts'
import type { Recovered } from './since.ts'
import type { Subscriber } from './subscriber.ts'
import { DEFAULT_SLOW_POLICY } from './subscriptions.ts'
import { FakeBus, createHub, loopTurn } from './testing/fake-bus.ts'
import { FakeHistory } from './testing/fake-history.ts'
import { FakeOutbox, unclosed } from './testing/fake-outbox.ts'

interface Setup {
  readonly bus: FakeBus
  readonly hub: Hub
  readonly history: FakeHistory
}

function open(size = 1000, chunk = 128): Setup {
  const bus = new FakeBus()
  const history = new FakeHistory(bus, size)
  const { hub } = createHub({ history, chunk }, bus)
  return { bus, hub, history }
}

function join(
  hub: Hub,
  policy = DEFAULT_SLOW_POLICY
): { outbox: FakeOutbox; member: Subscriber; codes: number[] } {
  const outbox = new FakeOutbox()
  const codes: number[] = []
  const member = hub.join(outbox, policy, { close: (code) => void codes.push(code) })
  return { outbox, member, codes }
}

async function publish({ bus, hub }: Setup, from: number, to: number, data: unknown = null): Promise<void> {
  for (let offset = from; offset <= to; offset++) await hub.publish('ticks', data ?? offset)
  bus.turn()
}

const since = (offset: number) => ({ epoch: 'epoch', offset })
const at = (offset: number) => ({ channel: 'ticks', subscribed: { epoch: 'epoch', offset } })
const message = (offset: number) => ({ channel: 'ticks', offset, data: offset })
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await loopTurn()
}

test('who comes back gets what it missed and then the live stream', async () => {
  const setup = open()
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 4)
  const outcome = member.subscribe('ticks', since(2))
  deepEqual(await outcome, { epoch: 'epoch', offset: 4, count: 2, lost: null, error: null })
  await publish(setup, 5, 5)
  deepEqual(outbox.messages, [at(4), message(3), message(4), message(5)])
})

test('what is published while the past is on its way comes behind it, once', async () => {
  const setup = open()
  setup.history.isQuick = false
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 4)
  const outcome = member.subscribe('ticks', since(2))
  await loopTurn()
  await publish(setup, 5, 6)
  // In the answer, and not read here yet.
  await setup.hub.publish('ticks', 7)
  setup.history.answer()
  await settled()
  deepEqual(outbox.messages, [], 'the answer is ahead of this thread')
  await publish(setup, 8, 8)
  equal((await outcome)!.count, 6)
  await publish(setup, 9, 9)
  deepEqual(outbox.messages, [at(8), ...[3, 4, 5, 6, 7, 8, 9].map(message)])
})

test('who is told its place with each message gets what was read while the past was on its way, too', async () => {
  const setup = open()
  setup.history.isQuick = false
  const { outbox, member } = join(setup.hub)
  const places: number[] = []
  outbox.onPlace = (_channel, { offset }) => places.push(offset)
  await publish(setup, 1, 3)
  void member.subscribe('ticks', since(2))
  await loopTurn()
  setup.history.look()
  await publish(setup, 4, 7)
  setup.history.answer()
  await settled()
  deepEqual(outbox.messages, [at(7), ...[3, 4, 5, 6, 7].map(message)])
  deepEqual(places, [3, 4, 5, 6, 7])
})

test('who has nothing yet learns the epoch and the offset, and gets nothing of the past', async () => {
  const setup = open()
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 4)
  await member.subscribe('ticks', null)
  await publish(setup, 5, 5)
  deepEqual(outbox.messages, [at(4), message(5)])
})

test('who has nothing yet gets all that is published behind its request, however late the answer', async () => {
  const setup = open()
  setup.history.isQuick = false
  const [first, second] = [join(setup.hub), join(setup.hub)]
  await publish(setup, 1, 4)
  const outcomes = [first.member.subscribe('ticks', null)]
  await publish(setup, 5, 5)
  await loopTurn()
  outcomes.push(second.member.subscribe('ticks', null))
  await publish(setup, 6, 6)
  setup.history.answer()
  await settled()
  await publish(setup, 7, 7)
  setup.history.answer()
  await settled()
  await publish(setup, 8, 8)
  deepEqual(first.outbox.messages, [at(4), ...[5, 6, 7, 8].map(message)])
  deepEqual(second.outbox.messages, [at(5), ...[6, 7, 8].map(message)])
  deepEqual(
    (await Promise.all(outcomes)).map((outcome) => [outcome!.offset, outcome!.count]),
    [
      [6, 2],
      [7, 2]
    ]
  )
})

test('who has nothing yet gets nothing that was published before, although it has not been read here', async () => {
  const setup = open()
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 4)
  await setup.hub.publish('ticks', 5)
  const outcome = member.subscribe('ticks', null)
  await publish(setup, 6, 6)
  deepEqual([(await outcome)!.offset, (await outcome)!.count], [6, 1])
  deepEqual(outbox.messages, [at(5), message(6)])
})

test('what is not kept any more is told before the rest', async () => {
  const setup = open(2)
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 6)
  const outcome = await member.subscribe('ticks', since(1))
  deepEqual(outcome!.lost, { from: 2, to: 4 })
  await publish(setup, 7, 7)
  deepEqual(outbox.messages, [
    at(6),
    { channel: 'ticks', lost: { from: 2, to: 4 } },
    ...[5, 6, 7].map(message)
  ])
})

test('a channel that keeps nothing tells what was missed', async () => {
  const setup = open()
  setup.history.store.setRule('*', {})
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 6)
  await member.subscribe('ticks', since(1))
  await publish(setup, 7, 7)
  deepEqual(outbox.messages, [at(6), { channel: 'ticks', lost: { from: 2, to: 6 } }, message(7)])
})

test('an epoch of another life of the server is told with the new one', async () => {
  const setup = open()
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 3)
  const outcome = await member.subscribe('ticks', { epoch: 'older', offset: 90 })
  deepEqual(outcome, { epoch: 'epoch', offset: 3, count: 0, lost: { from: 1, to: 3 }, error: null })
  await publish(setup, 4, 4)
  deepEqual(outbox.messages, [
    at(3),
    { channel: 'ticks', epoch: 'epoch', lost: { from: 1, to: 3 } },
    message(4)
  ])
})

test('an offset from the future is answered with a code, and the live stream goes on', async () => {
  const setup = open()
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 3)
  const outcome = await member.subscribe('ticks', since(4))
  equal(outcome!.error!.code, 'SCZ_ERR_HUB_OFFSET')
  await publish(setup, 4, 4)
  const told = { channel: 'ticks', error: 'SCZ_ERR_HUB_OFFSET', lost: { from: 1, to: 3 } }
  deepEqual(outbox.messages, [at(3), told, message(4)])
})

test('a place that makes no sense is an error with a code, at once', () => {
  const { hub } = open()
  const { member } = join(hub)
  for (const wrong of [
    {},
    { epoch: 'a', offset: -1 },
    { epoch: 1, offset: 1 },
    { epoch: 'a', offset: 1.5 },
    'a'
  ]) {
    throws(() => member.subscribe('ticks', wrong as never), { code: 'SCZ_ERR_HUB_SINCE' })
  }
  throws(() => member.subscribe('', null), { code: 'SCZ_ERR_HUB_CHANNEL' })
})

test('a thousand that come back together share one request', async () => {
  const setup = open(1000, 16)
  await publish(setup, 1, 100)
  const all = Array.from({ length: 1000 }, (_, index) => ({ ...join(setup.hub), offset: index % 90 }))
  const outcomes = Promise.all(all.map(({ member, offset }) => member.subscribe('ticks', since(offset))))
  await outcomes
  equal(setup.history.fetches, 1)
  for (const { outbox, offset } of all) {
    equal(outbox.data.length, 100 - offset)
    ok(outbox.sends <= 2, 'what it missed is one write')
  }
})

test('a large past comes in portions, each when the one before is taken', async () => {
  const setup = open()
  const { outbox, member, codes } = join(setup.hub)
  await publish(setup, 1, 100, 'x'.repeat(20_000))
  outbox.stallAfter = 1
  const outcome = member.subscribe('ticks', since(0))
  let portions = 0
  for (let round = 0; round < 100 && outbox.data.length < 100; round++) {
    await settled()
    ok(setup.hub.totals.heldBytes === 0)
    if (outbox.isStalled) portions++
    outbox.drain()
  }
  ok(portions >= 7)
  equal((await outcome)!.count, 100)
  outbox.stallAfter = Infinity
  await publish(setup, 101, 101)
  equal(outbox.data.length, 101)
  deepEqual(codes, [])
})

test('who does not take what it missed meets its policy', async () => {
  const setup = open()
  await publish(setup, 1, 100, 'x'.repeat(1000))
  const closing = join(setup.hub, { policy: 'close', maxBytes: 50_000, maxAge: 1e9 })
  const skipping = join(setup.hub, { policy: 'skip', maxBytes: 50_000, maxAge: 1e9 })
  for (const { outbox } of [closing, skipping]) outbox.stall()
  const outcomes = [closing, skipping].map(({ member }) => member.subscribe('ticks', since(0)))
  await settled()
  deepEqual(closing.codes, [1008])
  equal(await outcomes[0], null)
  skipping.outbox.drain()
  const [, skipped] = skipping.outbox.messages as [unknown, { skipped: { from: number; to: number } }]
  equal(skipped.skipped.from, 1)
  equal(skipping.outbox.data.length, 100 - skipped.skipped.to)
  equal(setup.hub.totals.held, 0)
})

test('who leaves or unsubscribes on the way gets nothing more, and nothing stays', async () => {
  const setup = open()
  await publish(setup, 1, 3)
  const [leaving, ending] = [join(setup.hub), join(setup.hub)]
  const outcomes: Promise<Recovered | null>[] = [leaving, ending].map(({ member }) =>
    member.subscribe('ticks', since(1))
  )
  leaving.member.leave()
  ending.member.unsubscribe('ticks')
  deepEqual(await Promise.all(outcomes), [null, null])
  await settled()
  await publish(setup, 4, 4)
  deepEqual([...leaving.outbox.messages, ...ending.outbox.messages], [])
  deepEqual([setup.hub.counts(), setup.hub.totals.subscriptions], [new Map(), 0])
})

test('a comeback to a server that closes ends with nothing', async () => {
  const setup = open()
  const { outbox, member } = join(setup.hub)
  setup.history.isClosed = true
  equal(await member.subscribe('ticks', since(1)), null)
  deepEqual(outbox.messages, [])
})

test('a second subscription to the same channel changes nothing', async () => {
  const setup = open()
  const { outbox, member } = join(setup.hub)
  await publish(setup, 1, 1)
  const first = member.subscribe('ticks', since(0))
  member.subscribe('ticks')
  equal(await member.subscribe('ticks', null), null)
  equal((await first)!.count, 1)
  equal(await member.subscribe('ticks', null), null)
  equal(setup.hub.totals.subscriptions, 1)
  deepEqual(outbox.messages, [at(1), message(1)])
})

const weights = {
  publish: 6,
  come: 4,
  read: 4,
  turn: 4,
  look: 3,
  leave: 2,
  drain: 2,
  answer: 1,
  stall: 1
} as const

const step = fc.oneof(
  ...(Object.keys(weights) as (keyof typeof weights)[]).map((name) => ({
    weight: weights[name],
    arbitrary: fc.record({ do: fc.constant(name), client: fc.nat(name === 'publish' ? 2 : 4) })
  }))
)

/** A client that goes on, on whatever socket, behind the last message that it has. */
class Client {
  readonly got: number[] = []
  readonly #bus: FakeBus
  readonly #hub: Hub
  readonly #format: Format
  /** Whether it is told its place with each message. */
  readonly #isPlaced: boolean
  /** Of the channel's last message when it asked for what comes. */
  #latest = 0
  outbox = new FakeOutbox()
  #member: Subscriber | null = null
  #seen = 0
  /** Null until a client that has nothing is told where it begins. */
  last: number | null

  constructor({ bus, hub }: Setup, format: Format, isPlaced: boolean, last: number | null) {
    this.#bus = bus
    this.#hub = hub
    this.#format = format
    this.#isPlaced = isPlaced
    this.last = last
  }

  come(): void {
    if (this.#member !== null) return
    this.outbox = new FakeOutbox()
    this.#seen = 0
    this.outbox.isTagged = isTagged(this.#format)
    if (this.#isPlaced) this.outbox.onPlace = () => {}
    const slow = { policy: 'skip', maxBytes: 300, maxAge: 1e9 } as const
    this.#member = this.#hub.join(this.outbox, slow, unclosed, this.#format)
    if (this.last === null) this.#latest = this.#bus.offsetOf('ticks')
    void this.#member.subscribe('ticks', this.last === null ? null : since(this.last))
  }

  leave(): void {
    this.read()
    this.#member?.leave()
    this.#member = null
  }

  /** Every offset follows the one before, or a notice says which are missing. */
  read(): void {
    const messages = this.outbox.messages as {
      offset?: number
      subscribed?: { offset: number }
      lost?: { from: number; to: number }
      skipped?: { from: number; to: number }
    }[]
    for (const { offset, subscribed, lost, skipped } of messages.slice(this.#seen)) {
      const gone = lost ?? skipped
      if (subscribed !== undefined) {
        if (this.last === null) equal(subscribed.offset, this.#latest)
        this.last ??= subscribed.offset
      } else if (gone !== undefined) {
        equal(gone.from, this.last! + 1)
        this.last = gone.to
      } else if (offset !== undefined) {
        equal(offset, this.last! + 1)
        this.last = offset
        this.got.push(offset)
      }
    }
    this.#seen = messages.length
  }
}

test('whatever happens, a client that comes back has every message once and in order, or is told', async () => {
  const scenarios = fc.array(step, { maxLength: 80, size: 'max' })
  const property = async (
    steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
    size: number,
    first: number
  ) => {
    const setup = open(size, 2)
    setup.history.isQuick = false
    const clients = Array.from(
      { length: 5 },
      (_, index) =>
        new Client(setup, formats[(first + index) % formats.length]!, index % 2 === 1, index < 3 ? 0 : null)
    )
    for (const each of steps) {
      const client = clients[each.client]!
      if (each.do === 'publish') await setup.hub.publish('ticks', 'x'.repeat(each.client * 40))
      else if (each.do === 'read') setup.bus.turn(each.client)
      else if (each.do === 'turn') await loopTurn()
      else if (each.do === 'look') setup.history.look()
      else if (each.do === 'answer') setup.history.answer()
      else if (each.do === 'come') client.come()
      else if (each.do === 'leave') client.leave()
      else if (each.do === 'stall') client.outbox.stall()
      else client.outbox.drain()
    }
    for (const client of clients) client.come()
    for (let turn = 0; turn < 40; turn++) {
      if (turn === 20) await delay(LONGEST_WAIT + 5)
      setup.history.answer()
      setup.bus.turn()
      for (const { outbox } of clients) outbox.drain()
      await loopTurn()
    }
    for (const client of clients) {
      client.read()
      equal(client.last, setup.bus.offsetOf('ticks'))
    }
    const { owed, delivered, skipped, abandoned, held } = setup.hub.totals
    deepEqual([owed, held], [delivered + skipped + abandoned, 0])
  }
  await fc.assert(
    fc.asyncProperty(scenarios, fc.integer({ min: 1, max: 12 }), fc.nat(formats.length - 1), property),
    { numRuns: 100 }
  )
})
