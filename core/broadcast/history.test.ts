import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { History } from './history.ts'

const TIME = 1_700_000_000_000
const EVERYTHING = { after: 0, limit: 1e6, maxBytes: Infinity }

/** A history whose clock the test moves. */
class Setup {
  now = TIME
  readonly history: History
  readonly #offsets = new Map<string, number>()

  constructor(maxBytes = 1e6) {
    this.history = new History(maxBytes, () => this.now)
  }

  take(channel: string, data: string, isText = true): void {
    const offset = this.offsetOf(channel) + 1
    this.#offsets.set(channel, offset)
    const bytes = Buffer.from(data) as Buffer<ArrayBufferLike> as Buffer<SharedArrayBuffer>
    this.history.take({ channel, offset, isText, data: bytes, key: null, time: this.now })
  }

  offsetOf(channel: string): number {
    return this.#offsets.get(channel) ?? 0
  }

  /** Offsets of what is kept, checked to follow each other up to the last. */
  kept(channel: string): number[] {
    const page = this.history.page(channel, EVERYTHING, this.offsetOf(channel))
    equal(page.offset, this.offsetOf(channel))
    equal(page.first + page.messages.length, page.offset + 1)
    return page.messages.map((_message, index) => page.first + index)
  }
}

test('a channel keeps its last messages, as many as its rule says', () => {
  const setup = new Setup()
  setup.history.setRule('ticks', { history: { size: 3, age: 60 } })
  for (let count = 0; count < 200; count++) setup.take('ticks', 'x')
  deepEqual(setup.kept('ticks'), [198, 199, 200])
})

test('a channel keeps its messages for as long as its rule says', () => {
  const setup = new Setup()
  setup.history.setRule('ticks', { history: { size: 9, age: 10 } })
  setup.take('ticks', 'a')
  setup.now += 6000
  setup.take('ticks', 'b')
  setup.now += 5000
  deepEqual(setup.kept('ticks'), [2])
  setup.now += 6000
  setup.history.sweep()
  equal(setup.history.bytes, 0)
  deepEqual(setup.kept('ticks'), [])
  setup.take('ticks', 'c')
  deepEqual(setup.kept('ticks'), [3])
})

test('a channel without a rule keeps nothing', () => {
  const setup = new Setup()
  setup.history.setRule('ticks', {})
  setup.take('ticks', 'x')
  setup.take('other', 'x')
  equal(setup.history.bytes, 0)
})

test('a later rule holds for what is kept already', () => {
  const setup = new Setup()
  setup.history.setRule('*', { history: { size: 9, age: 60 } })
  for (let count = 0; count < 9; count++) setup.take('ticks', 'x')
  setup.history.setRule('*', { history: { size: 2, age: 60 } })
  deepEqual(setup.kept('ticks'), [8, 9])
  setup.history.setRule('ticks', {})
  equal(setup.history.bytes, 0)
})

test('beyond the limit in bytes, the channel with the most loses its oldest and the quiet ones nothing', () => {
  const setup = new Setup(100_000)
  setup.history.setRule('*', { history: { size: 1000, age: 60 } })
  for (let count = 0; count < 5; count++) setup.take('quiet', 'x'.repeat(1000))
  for (let count = 0; count < 500; count++) {
    setup.take('busy', 'x'.repeat(1000))
    ok(setup.history.bytes <= 100_000)
  }
  deepEqual(setup.kept('quiet'), [1, 2, 3, 4, 5])
  ok(setup.kept('busy').length > 60)
})

test('a message that is larger than the limit is not kept', () => {
  const setup = new Setup(10_000)
  setup.history.setRule('*', { history: { size: 1000, age: 60 } })
  setup.take('ticks', 'x')
  setup.take('ticks', 'x'.repeat(20_000))
  deepEqual(setup.kept('ticks'), [])
  ok(setup.history.bytes <= 10_000)
})

test('a page begins behind an offset or ends with the last message, and is bounded by count and bytes', () => {
  const setup = new Setup()
  setup.history.setRule('*', { history: { size: 100, age: 60 } })
  for (let count = 1; count <= 10; count++) setup.take('ticks', `${count}`)
  const page = (after: number | null, limit: number, maxBytes = Infinity): string => {
    const { first, messages } = setup.history.page('ticks', { after, limit, maxBytes }, 10)
    return `${first}: ${messages.map(({ data }) => data).join(' ')}`
  }
  equal(page(4, 3), '5: 5 6 7')
  equal(page(8, 30), '9: 9 10')
  equal(page(null, 2), '9: 9 10')
  equal(page(0, 30, 1), '1: 1')
  equal(page(10, 30), '11: ')
  equal(page(99, 30), '11: ')
})

test('bytes come out as they went in', () => {
  const setup = new Setup()
  setup.history.setRule('*', { history: { size: 100, age: 60 } })
  setup.take('ticks', '"é😀\u0000"')
  const [message] = setup.history.page('ticks', EVERYTHING, 1).messages
  equal(Buffer.from(message!.data, 'latin1').toString(), '"é😀\u0000"')
})

test('whatever is published, what is kept stays within its bounds and ends with the last message', () => {
  const message = fc.record({ channel: fc.nat(5), bytes: fc.nat(3000), pause: fc.nat(2000) })
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 200, size: 'max' }),
      fc.integer({ min: 3000, max: 40_000 }),
      (all, maxBytes) => {
        const setup = new Setup(maxBytes)
        setup.history.setRule('*', { history: { size: 20, age: 30 } })
        for (const { channel, bytes, pause } of all) {
          setup.now += pause
          setup.take(`${channel}`, 'x'.repeat(bytes))
          ok(setup.history.bytes <= maxBytes)
        }
        for (let channel = 0; channel <= 5; channel++) ok(setup.kept(`${channel}`).length <= 20)
        setup.now += 31_000
        setup.history.sweep()
        equal(setup.history.bytes, 0)
      }
    )
  )
})
