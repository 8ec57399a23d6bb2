import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_RING_BYTES, Ring, RingReader, RingWriter, align, copyRecords, isRingSize } from './ring.ts'

const CAPACITY = 256
const HEADER = 8

test('a record is seen only when it is published, and then whole', () => {
  const { writer, reader, write } = makePair()
  write(16, 7)
  assert.equal(reader.next(), -1)
  writer.publish()
  assert.equal(reader.next(), 0)
  assert.deepEqual([...reader.ring.words.subarray(0, 4)], [16, 7, 7, 7])
})

test('what a writer leaves unpublished is written over by the next one', () => {
  const { writer, write, reader } = makePair()
  write(16, 1)
  writer.publish()
  write(32, 2)
  const next = new RingWriter(writer.ring, () => 0)
  assert.equal(next.position, 16)
  const at = next.claim(24)
  assert.equal(at, 16)
  next.ring.words.fill(3, at >> 2, (at + 24) >> 2)
  next.ring.words[at >> 2] = 24
  next.commit(24)
  next.publish()
  reader.next()
  reader.advance(16)
  assert.equal(reader.next(), 16)
  assert.equal(reader.ring.words[5], 3)
})

test('a full ring refuses a record until the oldest reader has moved on', () => {
  const { writer, reader, write, read, release } = makePair()
  for (let number = 0; number < CAPACITY / 32; number++) assert.equal(write(32, number), true)
  assert.equal(write(8, 99), false)
  writer.publish()
  assert.equal(read(), 0)
  assert.equal(write(8, 99), false)
  release()
  assert.equal(write(32, 99), true)
  assert.equal(write(8, 99), false)
  writer.publish()
  for (let number = 1; number < CAPACITY / 32; number++) assert.equal(read(), number)
  assert.equal(read(), 99)
  assert.equal(reader.next(), -1)
})

test('a record goes to the start of the ring when the rest is too short, whatever the rest is', () => {
  for (let rest = 8; rest <= 120; rest += 8) {
    const { writer, reader, write, read, release } = makePair(CAPACITY - rest)
    assert.equal(write(120, rest), true)
    writer.publish()
    assert.equal(reader.next(), rest < 120 ? 0 : CAPACITY - rest)
    assert.equal(read(), rest)
    release()
    assert.equal(reader.next(), -1)
  }
})

test('a wrap marker may be published before the record behind it', () => {
  const { writer, reader, write, read } = makePair(CAPACITY - 8)
  assert.equal(writer.claim(16), 0)
  writer.publish()
  assert.equal(reader.next(), -1)
  write(16, 5)
  writer.publish()
  assert.equal(read(), 5)
})

test('positions go on over 2^31 and 2^32', () => {
  for (const start of [2 ** 31 - 1024, -1024]) {
    const { writer, write, read, release } = makePair(start | 0)
    for (let number = 0; number < 1000; number++) {
      assert.equal(write(8 + 8 * (number % 9), number), true)
      writer.publish()
      assert.equal(read(), number)
      release()
    }
  }
})

test('the room behind a claim ends at the end of the ring and at the oldest record', () => {
  const { writer, write, reader, release } = makePair()
  write(64, 1)
  assert.equal(writer.room, CAPACITY - 64)
  for (let number = 0; number < 3; number++) write(64, 1)
  assert.equal(writer.room, 0)
  writer.publish()
  reader.next()
  reader.advance(64)
  release()
  assert.equal(writer.claim(32), 0)
  assert.equal(writer.room, 64)
})

test('copies records of any size between rings', () => {
  const source = new Ring(new SharedArrayBuffer(64 + 4096), 0, 64)
  const target = new Ring(new SharedArrayBuffer(64 + 4096), 0, 64)
  for (const size of [8, 64, 512, 520, 1024]) {
    source.words.fill(size)
    target.words.fill(0)
    copyRecords(source, 16, target, 40, size)
    const copied = target.words.map((word) => Number(word === size))
    const expected = new Int32Array(1024).fill(1, 10, 10 + size / 4)
    assert.deepEqual(copied, expected)
  }
})

test('a ring has a power of two of bytes', () => {
  for (const bytes of [64, 65_536, MAX_RING_BYTES]) assert.equal(isRingSize(bytes), true)
  for (const bytes of [0, 32, 65, 100_000, 2 * MAX_RING_BYTES, Number.NaN, 64.5])
    assert.equal(isRingSize(bytes), false)
  assert.throws(() => new Ring(new SharedArrayBuffer(164), 0, 64), RangeError)
})

test('a ring with one reader is a bounded queue, for any sizes and order of steps', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('write'), size: fc.integer({ min: 16, max: 128 }) })
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('read'), size: fc.constant(0) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('publish'), size: fc.constant(0) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('release'), size: fc.constant(0) }) }
  )
  const start = fc.integer({ min: -(2 ** 28), max: 2 ** 28 - 1 }).map((number) => number * 8)
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 200, size: 'max' }), (start, steps) => {
      const { writer, write, read, release } = makePair(start)
      const written: number[] = []
      const published: number[] = []
      let held = 0
      let number = 0
      for (const { type, size } of steps) {
        if (type === 'write') {
          if (write(align(size), ++number)) written.push(number)
          else assert.ok(written.length + published.length + held > 0, 'an empty ring has room')
        } else if (type === 'read') {
          const expected = published.shift() ?? null
          assert.equal(read(), expected)
          if (expected !== null) held++
        } else if (type === 'publish') {
          writer.publish()
          published.push(...written.splice(0))
        } else {
          release()
          held = 0
        }
      }
      writer.publish()
      for (const expected of [...published, ...written]) assert.equal(read(), expected)
      assert.equal(read(), null)
    }),
    { numRuns: 500 }
  )
})

/** A writer and a reader whose records are filled with one number each. The writer stops at what was released. */
function makePair(start = 0) {
  const ring = new Ring(new SharedArrayBuffer(64 + CAPACITY), 0, 64)
  ring.head = start
  const reader = new RingReader(ring, start)
  let released = start
  const writer = new RingWriter(ring, () => released)
  return {
    writer,
    reader,
    write(size: number, fill: number): boolean {
      const at = writer.claim(size)
      if (at === -1) return false
      ring.words.fill(fill, at >> 2, (at + size) >> 2)
      ring.words[at >> 2] = size
      writer.commit(size)
      return true
    },
    /** The number in the next record, which has to fill it wholly; null if there is none, or only its size. */
    read(): number | null {
      const at = reader.next()
      if (at === -1) return null
      const size = ring.words[at >> 2]!
      reader.advance(size)
      const [first, ...rest] = ring.words.subarray((at + HEADER - 4) >> 2, (at + size) >> 2)
      assert.ok(rest.every((word) => word === first))
      return first ?? null
    },
    release(): void {
      released = reader.position
    }
  }
}
