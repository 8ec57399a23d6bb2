import { equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import type { Format } from './format.ts'
import { formats, LONGEST_WAIT } from './testing/formats.ts'
import type { Hub } from './hub.ts'
import type { Membership, SlowPolicy } from './subscriptions.ts'
import { FakeOutbox, isDelivery, isNotice } from './testing/fake-outbox.ts'
import { createHub, loopTurn } from './testing/fake-bus.ts'
import { isTagged } from './wrapping.ts'

const CHANNELS = ['a', 'b', 'c']

/** A member, and how far each channel had been read while it was subscribed: offsets from the first to below the last. */
class Client {
  readonly outbox: FakeOutbox = new FakeOutbox()
  readonly member: Membership
  readonly spans: { readonly channel: string; readonly from: number; to: number | null }[] = []
  isGone = false

  constructor(hub: Hub, policy: SlowPolicy['policy'], format: Format, read: ReadonlyMap<string, number>) {
    this.outbox.isTagged = isTagged(format)
    const connection = { close: () => this.end(read) }
    this.member = hub.join(this.outbox, { policy, maxBytes: 400, maxAge: 1e9 }, connection, format)
  }

  subscribe(channel: string, read: ReadonlyMap<string, number>): void {
    if (this.isGone || this.spans.some((span) => span.channel === channel && span.to === null)) return
    this.member.subscribe(channel)
    this.spans.push({ channel, from: (read.get(channel) ?? 0) + 1, to: null })
  }

  unsubscribe(channel: string, read: ReadonlyMap<string, number>): void {
    this.member.unsubscribe(channel)
    for (const span of this.spans) {
      if (span.channel === channel) span.to ??= (read.get(channel) ?? 0) + 1
    }
  }

  end(read: ReadonlyMap<string, number>): void {
    this.isGone = true
    for (const channel of CHANNELS) this.unsubscribe(channel, read)
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish' as const), channel: fc.nat(2), key: fc.nat(3) })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), count: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      policy: fc.nat(2),
      channel: fc.nat(2),
      format: fc.nat(formats.length - 1)
    })
  },
  ...(['subscribe', 'unsubscribe', 'leave', 'stall', 'drain'] as const).map((name) =>
    fc.record({ do: fc.constant(name), client: fc.nat(20), channel: fc.nat(2) })
  )
)

test('whatever happens, every message owed is delivered, told as skipped, or was owed to a member that left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 120, size: 'max' }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, chunk) => {
        const { bus, hub } = createHub({ chunk, load: () => 1 })
        const read = new Map<string, number>()
        for (const channel of CHANNELS) hub.subscribe(channel, ({ offset }) => void read.set(channel, offset))
        const clients: Client[] = []
        for (const each of steps) {
          if (each.do === 'publish') {
            const options = each.key === 0 ? {} : { key: `key ${each.key}` }
            await hub.publish(CHANNELS[each.channel]!, 'x', options)
          } else if (each.do === 'read') bus.turn(each.count)
          else if (each.do === 'turn') await loopTurn()
          else if (each.do === 'join') {
            const policy = (['close', 'skip', 'latest'] as const)[each.policy]!
            const client = new Client(hub, policy, formats[each.format]!, read)
            clients.push(client)
            client.subscribe(CHANNELS[each.channel]!, read)
          } else if (clients.length > 0) {
            const client = clients[each.client % clients.length]!
            const channel = CHANNELS[each.channel]!
            if (each.do === 'subscribe') client.subscribe(channel, read)
            else if (each.do === 'unsubscribe') client.unsubscribe(channel, read)
            else if (each.do === 'stall') client.outbox.stall()
            else if (each.do === 'drain') client.outbox.drain()
            else {
              client.member.leave()
              client.end(read)
            }
          }
        }
        while (bus.turn() > 0) await loopTurn()
        await delay(LONGEST_WAIT + 5)
        for (let turn = 0; turn < 500; turn++) await loopTurn()
        for (const { outbox } of clients) outbox.drain()
        const { owed, delivered, skipped, abandoned, held, heldBytes, holes } = hub.totals
        equal(owed, delivered + skipped + abandoned)
        equal(held, 0)
        equal(heldBytes, 0)
        equal(holes, 0)
        for (const client of clients) check(client, read)
      }
    ),
    { numRuns: 150 }
  )
})

function check({ outbox, spans, isGone }: Client, read: ReadonlyMap<string, number>): void {
  for (const channel of CHANNELS) {
    const messages = outbox.messages
    const offsets = messages
      .filter(isDelivery)
      .flatMap((each) => (each.channel === channel ? [each.offset] : []))
    const told = messages
      .filter(isNotice)
      .reduce((sum, each) => sum + (each.channel === channel ? each.skipped.count : 0), 0)
    offsets.forEach((offset, index) =>
      ok(index === 0 || offset > offsets[index - 1]!, 'in order, none twice')
    )
    const own = spans.filter((span) => span.channel === channel)
    const end = (read.get(channel) ?? 0) + 1
    for (const offset of offsets) ok(own.some(({ from, to }) => offset >= from && offset < (to ?? end)))
    const owed = own.reduce((sum, { from, to }) => sum + (to ?? end) - from, 0)
    // Who stays subscribed gets everything or is told.
    const stayed = own.length > 0 && own.every(({ to }) => to === null) && !isGone
    if (stayed) equal(offsets.length + told, owed)
    else ok(offsets.length + told <= owed)
  }
}
