import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import type { ServerView } from '../server-view.ts'
import { fakeView } from '../testing/fake-view.ts'
import { Census } from './census.ts'
import { Feed } from './feed.ts'
import type { Now, Past } from './feed.ts'
import { Recorder } from './recorder.ts'

/** Reads the events that it is sent; while it is stuck it takes them and reads nothing. */
class FakeSink extends EventEmitter {
  text = ''
  isStuck = false

  write(text: string): boolean {
    this.text += text
    return !this.isStuck
  }

  end(): void {
    this.emit('close')
  }

  destroy(): void {
    this.emit('close')
  }

  get past(): Past {
    const [, data = ''] = /^event: history\n.*\ndata: (.*)\n\n/.exec(this.text) ?? []
    return JSON.parse(data) as Past
  }

  get nows(): readonly Now[] {
    return Array.from(
      this.text.matchAll(/^event: now\nid: .*\ndata: (.*)\n\n/gm),
      ([, data]) => JSON.parse(data!) as Now
    )
  }
}

function open(
  t: TestContext,
  given: Partial<ServerView> = {}
): { feed: Feed; recorder: Recorder; view: ServerView } {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const view = fakeView({ startedAt: 7000, ...given })
  const census = new Census(view)
  const recorder = new Recorder(census, pino({ level: 'silent' }))
  const feed = new Feed(view, census, recorder)
  t.after(() => {
    recorder.close()
    feed.close()
  })
  return { feed, recorder, view }
}

const numbersOf = ({ points }: Past): readonly number[] => points.map(({ number }) => number)

test('who begins to watch gets the last five minutes at once, and no more', (t) => {
  const { feed } = open(t)
  // The first snapshot has none before it to be compared with.
  t.mock.timers.tick(1000 + 310 * 1000)
  const sink = new FakeSink()
  feed.watch(sink, null)
  const { server, isWhole } = sink.past
  deepEqual([server, isWhole], [7000, true])
  deepEqual(
    numbersOf(sink.past),
    Array.from({ length: 300 }, (_, index) => index + 11)
  )
  equal(sink.nows.length, 1)
  equal(sink.nows[0]!.point, null)
  equal(sink.nows[0]!.status.state, 'ready')
})

test('each second brings a point, with an id to come back with', (t) => {
  const { feed } = open(t)
  const sink = new FakeSink()
  feed.watch(sink, null)
  t.mock.timers.tick(3000)
  deepEqual(
    sink.nows.map(({ point }) => point?.number ?? null),
    [null, 1, 2]
  )
  match(sink.text, /^id: 7000-2$/m)
})

test('who comes back gets what was missed meanwhile', (t) => {
  const { feed } = open(t)
  t.mock.timers.tick(11_000)
  const sink = new FakeSink()
  feed.watch(sink, '7000-8')
  equal(sink.past.isWhole, false)
  deepEqual(numbersOf(sink.past), [9, 10])
})

test('who comes back to another run of the server, or with an id that makes no sense or lies ahead, gets everything', (t) => {
  const { feed } = open(t)
  t.mock.timers.tick(4000)
  for (const id of [
    '6999-2',
    '',
    '7000',
    '7000-',
    '7000-x',
    '-2',
    '7000-2-2',
    '7000-4',
    'x'.repeat(10_000),
    `7000-${'9'.repeat(400)}`
  ]) {
    const sink = new FakeSink()
    feed.watch(sink, id)
    equal(sink.past.isWhole, true)
    deepEqual(numbersOf(sink.past), [1, 2, 3], id)
  }
})

test('who does not read has one event waiting, the latest', (t) => {
  const { feed } = open(t)
  const sink = new FakeSink()
  sink.isStuck = true
  feed.watch(sink, null)
  t.mock.timers.tick(10_000)
  equal(sink.nows.length, 0)
  sink.isStuck = false
  sink.emit('drain')
  deepEqual(
    sink.nows.map(({ point }) => point!.number),
    [9]
  )
})

test('workers are asked for their channels only while somebody watches', (t) => {
  let asks = 0
  const channels = async (): Promise<Map<string, number>> => {
    asks++
    return new Map()
  }
  const { feed } = open(t, { channels })
  t.mock.timers.tick(10_000)
  equal(asks, 0)
  const sink = new FakeSink()
  feed.watch(sink, null)
  equal(asks, 1)
  sink.destroy()
  t.mock.timers.tick(10_000)
  equal(asks, 1)
})

test('so many may watch at a time, and those who left make room', (t) => {
  const { feed } = open(t)
  const sinks = Array.from({ length: 64 }, () => new FakeSink())
  for (const sink of sinks) {
    equal(feed.isFull, false)
    feed.watch(sink, null)
  }
  ok(feed.isFull)
  sinks[10]!.destroy()
  equal(feed.isFull, false)
})
