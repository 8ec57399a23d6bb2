import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compress } from './deflate.ts'
import { clientFrames } from './testing/client-frames.ts'
import type { ClientFrame } from './testing/client-frames.ts'
import { read } from './testing/reading.ts'
import type { Reading } from './testing/reading.ts'

/** `FRAME_STREAMS=100000 node --test core/websocket/frame-parser.fuzz.test.ts` is the long form. */
const STREAMS = Number(process.env['FRAME_STREAMS'] ?? 1500)
const SETTINGS = { maxMessageBytes: 2000, maxFragments: 4 }

test('gives the same for every cut of any stream, and faults from the catalogue only', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })
  const property = fc.property(streams(), sizes, fc.boolean(), (bytes, sizes, deflate) => {
    const settings = { ...SETTINGS, deflate }
    // `read` lets through what is no error of the catalogue with a close code.
    const whole = read(bytes, [], settings)
    assert.deepEqual(read(bytes, [1], settings), whole)
    assert.deepEqual(read(bytes, sizes, settings), whole)
    const step = Math.max(1, Math.floor(bytes.length / 40))
    for (let cut = 1; cut < bytes.length; cut += step) {
      assert.deepEqual(read(bytes, [cut, bytes.length], settings), whole)
    }
  })
  fc.assert(property, { numRuns: STREAMS })
})

test('gives what was sent, however it was framed', () => {
  const property = fc.property(fc.array(messages(), { maxLength: 4 }), fc.nat(30), (list, size) => {
    const bytes = clientFrames(...list.flatMap(({ frames }) => frames))
    const events = list.flatMap(({ events }) => events)
    const settings = { ...SETTINGS, deflate: true }
    assert.deepEqual(read(bytes, [size + 1], settings), { events, fault: null })
  })
  fc.assert(property, { numRuns: STREAMS })
})

test('more bytes change nothing that was read before', () => {
  const property = fc.property(streams(), fc.nat(), (bytes, at) => {
    const { events, fault } = read(bytes, [], SETTINGS)
    const less = read(bytes.subarray(0, at % (bytes.length + 1)), [], SETTINGS)
    assert.deepEqual(less.events, events.slice(0, less.events.length))
    if (less.fault !== null) assert.deepEqual(less, { events, fault })
  })
  fc.assert(property, { numRuns: STREAMS })
})

const PAYLOADS = ['', 'Hello', 'κόσμε', 'a'.repeat(125), 'é'.repeat(64), 'x'.repeat(900), '𝄟'.repeat(40)]

/** Frames that are valid more often than not, streams of them with bytes changed, and bytes at random. */
function streams(): fc.Arbitrary<Buffer> {
  const payload = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...PAYLOADS).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...PAYLOADS).map((text) => compress(Buffer.from(text)) ?? Buffer.alloc(1))
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('03e8', '03e8f09d', '03ed', '0fa0c3a9', '03', 'f490', 'eda080')
        .map((hex) => Buffer.from(hex, 'hex'))
    }
  )
  const frame: fc.Arbitrary<ClientFrame> = fc.record({
    opcode: fc.constantFrom(0, 0, 1, 1, 1, 2, 2, 8, 9, 9, 10, 3, 11),
    payload,
    isFinal: fc.constantFrom(true, true, true, false, false),
    reserved: fc.constantFrom(0, 0, 0, 0, 0, 4, 4, 1),
    isMasked: fc.constantFrom(...Array.from({ length: 20 }, () => true), false),
    key: fc.integer()
  })
  const message = messages().map(({ frames }) => frames)
  const stream = fc
    .array(
      fc.oneof(
        { weight: 2, arbitrary: message },
        frame.map((frame) => [frame])
      ),
      { maxLength: 5 }
    )
    .map((list) => clientFrames(...list.flat()))
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
  const changed = fc.tuple(stream, changes).map(([bytes, changes]) => {
    const copy = Buffer.from(bytes)
    for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte
    return copy
  })
  const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
  return fc.oneof({ weight: 4, arbitrary: stream }, { weight: 4, arbitrary: changed }, random)
}

interface Sent {
  readonly frames: readonly ClientFrame[]
  readonly events: Reading['events']
}

/** A message in one to three fragments with a ping behind the first, and what it should give. */
function messages(): fc.Arbitrary<Sent> {
  return fc
    .record({
      text: fc.oneof(fc.constantFrom(...PAYLOADS), fc.string({ unit: 'binary', maxLength: 200 })),
      isBinary: fc.boolean(),
      wantsCompression: fc.boolean(),
      cuts: fc.array(fc.nat(), { maxLength: 2 }),
      hasPing: fc.boolean(),
      key: fc.integer()
    })
    .map(({ text, isBinary, wantsCompression, cuts, hasPing, key }) => {
      const plain = Buffer.from(text)
      const compressed = wantsCompression ? compress(plain) : null
      const payload = compressed ?? plain
      const places = cuts.map((cut) => cut % (payload.length + 1)).sort((one, other) => one - other)
      const frames: ClientFrame[] = [0, ...places].map((start, index) => ({
        opcode: index > 0 ? 0 : isBinary ? 2 : 1,
        reserved: index === 0 && compressed !== null ? 4 : 0,
        isFinal: index === places.length,
        payload: payload.subarray(start, places[index]),
        key
      }))
      const pinged = hasPing && frames.length > 1
      if (pinged) frames.splice(1, 0, { opcode: 9, payload: 'p', key })
      const event = isBinary
        ? (['binary', plain.toString('latin1')] as const)
        : (['text', plain.toString()] as const)
      return { frames, events: pinged ? [['ping', 'p'] as const, event] : [event] }
    })
}
