import { deepEqual, equal, ok } from 'node:assert/strict'
import { mock, test } from 'node:test'
import fc from 'fast-check'
import { connect } from './index.ts'
import type { AnyChannels, Client, LostEvent, Position, SkippedEvent, Subscription } from './index.ts'
import { FakeServer } from './testing/fake-server.ts'

// A client on a network that loses connections, delays answers and joins messages, beside a server that restarts.

const CHANNELS = ['a', 'ticks'] as const
const RUNS = Number(process.env['CLIENT_RUNS'] ?? 300)

type Step =
  | { readonly do: 'publish' | 'ask' | 'skip' | 'hide' | 'join' | 'leave'; readonly channel: 0 | 1 }
  | { readonly do: 'up' | 'down' | 'release' | 'time'; readonly count: number }
  | { readonly do: 'cut' | 'drain' | 'restart' }

const channel = fc.constantFrom(0 as const, 1 as const)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), channel }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('ask' as const, 'ask', 'skip', 'hide', 'join', 'join', 'join', 'leave'),
      channel
    })
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('up' as const, 'down', 'release', 'time'),
      count: fc.integer({ min: 1, max: 5 })
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'drain', 'restart') }) }
)

/** A subscription, and what it has been given or told. */
class Watched {
  readonly #channel: string
  readonly subscription: Subscription<unknown>
  readonly got: string[] = []
  #epoch = ''
  #last = 0
  isOver = false

  constructor(client: Client<AnyChannels>, channel: string) {
    this.#channel = channel
    this.subscription = client.subscribe(channel, (_data, { epoch, offset }) => {
      ok(!this.isOver, 'nothing comes behind its end')
      if (epoch === this.#epoch) ok(offset > this.#last, `${offset} came behind ${this.#last}`)
      this.#epoch = epoch
      this.#last = offset
      this.got.push(`${epoch}:${offset}`)
    })
  }

  /** @param server after everything has arrived */
  check(server: FakeServer, told: ReadonlySet<string>, begun: Position): void {
    equal(new Set(this.got).size, this.got.length, 'nothing comes twice')
    const epoch = String(server.epoch)
    const first = begun.epoch === epoch ? begun.offset + 1 : 1
    for (let offset = first; offset <= server.log(this.#channel).length; offset++)
      ok(
        this.got.includes(`${epoch}:${offset}`) || told.has(`${this.#channel}:${epoch}:${offset}`),
        `${epoch}:${offset} is missing`
      )
  }
}

async function flush(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve()
}

async function run(steps: readonly Step[]): Promise<void> {
  const server = new FakeServer()
  server.routeChannels = ['ticks']
  const client = connect('ws://server/', { WebSocket: server.WebSocket, backoff: { initial: 100, max: 400 } })
  const watched = new Map<string, Watched>()
  const published: Promise<unknown>[] = []
  /** What the client has told of as lost or skipped, by channel, epoch and offset. */
  const told = new Set<string>()
  const note = ({ channel, from, to }: SkippedEvent | LostEvent): void => {
    for (let offset = from; offset <= to; offset++) told.add(`${channel}:${server.epoch}:${offset}`)
  }
  client.on('lost', note)
  client.on('skipped', note)
  let restarts = 0
  await flush()
  const take = async (step: Step): Promise<void> => {
    const socket = server.socket!
    if (step.do === 'publish') server.publish(CHANNELS[step.channel], 'x')
    else if (step.do === 'ask') published.push(client.publish(CHANNELS[step.channel], published.length))
    else if (step.do === 'skip') server.skip(CHANNELS[step.channel], published.length % 2 === 0)
    else if (step.do === 'hide') server.hide(CHANNELS[step.channel])
    else if (step.do === 'join') {
      const name = CHANNELS[step.channel]
      if (!watched.has(name)) watched.set(name, new Watched(client, name))
    } else if (step.do === 'leave') {
      const name = CHANNELS[step.channel]
      const gone = watched.get(name)
      watched.delete(name)
      gone?.subscription.unsubscribe()
      if (gone !== undefined) gone.isOver = true
    } else if (step.do === 'up') for (let count = 0; count < step.count; count++) socket.moveUp()
    else if (step.do === 'down') socket.moveDown(step.count)
    else if (step.do === 'release') socket.release(step.count)
    else if (step.do === 'time') mock.timers.tick(step.count * 100)
    else if (step.do === 'cut') socket.cut()
    else if (step.do === 'drain') {
      socket.tell({ drain: { reconnect: 'now', after: 50 } })
      socket.settle()
      socket.cut(1001)
    } else {
      restarts++
      server.restart()
    }
    await flush()
  }
  for (const step of steps) await take(step)
  for (let rounds = 0; rounds < 12; rounds++) {
    // Only a message behind them shows that some are missing.
    if (rounds % 4 === 3) for (const name of CHANNELS) server.publish(name, 'last')
    server.socket!.settle()
    mock.timers.tick(500)
    await flush()
  }
  server.socket!.settle()
  await flush()
  equal(client.state, 'open')
  for (const each of watched.values()) each.check(server, told, await each.subscription.ready)
  await Promise.all(published)
  if (restarts === 0) {
    const own = CHANNELS.flatMap((name) => server.log(name)).filter(({ key }) => key !== undefined)
    deepEqual(
      own.map(({ data }) => data as number).sort((one, other) => one - other),
      published.map((_, index) => index)
    )
  }
  client.close()
}

test('every message comes once and in order, or is told of as lost or skipped, whatever the network does', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  t.after(() => mock.timers.reset())
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => run(steps)),
    { numRuns: RUNS }
  )
})
