import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress } from './deflate.ts'
import { FrameParser, defaultParserSettings } from './frame-parser.ts'
import { clientFrame, clientFrames } from './testing/client-frames.ts'
import { Recorder, read, readEveryWay } from './testing/reading.ts'

const MIB = 1_048_576

test('reads the masked example of RFC 6455 section 5.7', () => {
  const bytes = Buffer.from('818537fa213d7f9f4d5158', 'hex')
  assert.deepEqual(read(bytes), { events: [['text', 'Hello']], fault: null })
})

test('hands out a whole message as a part of the chunk, without a copy', () => {
  const chunk = clientFrame({ opcode: 2, payload: Buffer.alloc(1000, 7) })
  const memories: ArrayBufferLike[] = []
  const sink = new Recorder()
  sink.onMessage = (data) => memories.push(data.buffer)
  new FrameParser(sink).receive(chunk)
  assert.deepEqual(memories, [chunk.buffer])
})

test('refuses a length above the limit from the header alone', () => {
  const limits = { maxMessageBytes: 1000 }
  assert.equal(read(clientFrame({ opcode: 2, announced: 1000n }), [], limits).fault, null)
  for (const announced of [1001n, 65_536n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    assert.equal(
      read(clientFrame({ opcode: 2, announced }), [], limits).fault,
      'SCZ_ERR_WS_MESSAGE_SIZE',
      String(announced)
    )
  }
})

test('takes a message that deflating makes longer than the limit, but not by much', () => {
  const limits = { maxMessageBytes: 1000, deflate: true }
  // One stored block: its length, the inverse of that, the bytes as they are, and the start of the empty block.
  const stored = Buffer.concat([Buffer.from('00e80317fc', 'hex'), Buffer.alloc(1000, 'x'), Buffer.alloc(1)])
  const { reading, others } = readEveryWay(clientFrame({ opcode: 1, payload: stored, reserved: 4 }), limits)
  assert.deepEqual(reading, { events: [['text', 'x'.repeat(1000)]], fault: null })
  assert.deepEqual(others, [])
  const longer = clientFrame({ opcode: 1, announced: 1200n, reserved: 4 })
  assert.equal(read(longer, [], limits).fault, 'SCZ_ERR_WS_MESSAGE_SIZE')
})

test('counts the bytes of all fragments, and not those of control frames between them', () => {
  const limits = { maxMessageBytes: 1000 }
  assert.equal(read(threeFragments(200), [], limits).fault, null)
  const { events, fault } = read(threeFragments(201), [], limits)
  assert.equal(fault, 'SCZ_ERR_WS_MESSAGE_SIZE')
  assert.equal(events.length, 1)
})

test('starts to count anew with every message', () => {
  const frame = { opcode: 2, payload: Buffer.alloc(900) }
  const fragments = [
    { ...frame, isFinal: false },
    { opcode: 0, payload: Buffer.alloc(100) }
  ]
  const bytes = clientFrames(frame, ...fragments, frame, ...fragments)
  assert.equal(read(bytes, [], { maxMessageBytes: 1000, maxFragments: 2 }).events.length, 4)
})

test('takes as many fragments as the limit, empty ones too, and no more', () => {
  assert.deepEqual(read(fragmented(10), [], { maxFragments: 10 }).events, [['text', 'end']])
  assert.equal(read(fragmented(11), [], { maxFragments: 10 }).fault, 'SCZ_ERR_WS_FRAGMENTS')
  assert.equal(read(fragmented(16_384)).fault, null)
  assert.equal(read(fragmented(16_385)).fault, 'SCZ_ERR_WS_FRAGMENTS')
})

test('refuses bad text in the first kilobyte of a megabyte that has not arrived', () => {
  const payload = Buffer.alloc(1024, 'a')
  payload[1000] = 0xff
  const frame = clientFrame({ opcode: 1, payload, announced: BigInt(MIB) })
  assert.equal(read(frame).fault, 'SCZ_ERR_WS_TEXT')
  assert.equal(read(frame.subarray(0, 14 + 1001), [100]).fault, 'SCZ_ERR_WS_TEXT')
  assert.equal(read(frame.subarray(0, 14 + 1000), [100]).fault, null)
})

test('gives the same for every cut of a stream of all that may happen', () => {
  const long = 'κόσμε '.repeat(40)
  const bytes = clientFrames(
    { opcode: 1, payload: 'one' },
    { opcode: 2, payload: Buffer.alloc(300, 9), key: 0 },
    { opcode: 9 },
    { opcode: 1, payload: long.slice(0, 99), isFinal: false },
    { opcode: 10, payload: 'pong' },
    { opcode: 0, isFinal: false },
    { opcode: 9, payload: Buffer.alloc(125, 1) },
    { opcode: 0, payload: long.slice(99) },
    { opcode: 1 },
    { opcode: 1, payload: compress(Buffer.from(long))!, reserved: 4 },
    { opcode: 8, payload: Buffer.from('03e8627965', 'hex') },
    { opcode: 1, payload: 'ignored' }
  )
  const { reading, others } = readEveryWay(bytes, { deflate: true })
  assert.deepEqual(reading, {
    events: [
      ['text', 'one'],
      ['binary', '\t'.repeat(300)],
      ['ping', ''],
      ['pong', 'pong'],
      ['ping', '\x01'.repeat(125)],
      ['text', long],
      ['text', ''],
      ['text', long],
      ['close', 1000, 'bye']
    ],
    fault: null
  })
  assert.deepEqual(others, [])
})

test('a character may be cut by a fragment, but not by the end of a message', () => {
  const [first, second] = [Buffer.from([0xe6, 0xb0]), Buffer.from([0xb4])]
  const start = { opcode: 1, payload: first, isFinal: false }
  assert.deepEqual(read(clientFrames(start, { opcode: 9 }, { opcode: 0, payload: second })).events, [
    ['ping', ''],
    ['text', '水']
  ])
  assert.equal(read(clientFrames(start, { opcode: 0 })).fault, 'SCZ_ERR_WS_TEXT')
  assert.equal(read(clientFrame({ opcode: 1, payload: first })).fault, 'SCZ_ERR_WS_TEXT')
})

test('reads nothing behind a fault', () => {
  const bytes = clientFrames(
    { opcode: 1, payload: 'a' },
    { opcode: 3 },
    { opcode: 1, payload: 'b' },
    { opcode: 3 }
  )
  const { reading, others } = readEveryWay(bytes)
  assert.deepEqual(reading, { events: [['text', 'a']], fault: 'SCZ_ERR_WS_OPCODE' })
  assert.deepEqual(others, [])
})

test('reads nothing more once it is stopped, even by its own sink', () => {
  const sink = new Recorder()
  const parser = new FrameParser(sink)
  const bytes = clientFrames({ opcode: 9, payload: 'a' }, { opcode: 9, payload: 'b' })
  sink.onPing = (payload) => {
    sink.events.push(['ping', payload.toString()])
    parser.stop()
  }
  parser.receive(bytes)
  parser.receive(clientFrame({ opcode: 9 }))
  assert.deepEqual(sink.events, [['ping', 'a']])
})

test('passes on what a sink throws, and reads nothing more', () => {
  const sink = new Recorder()
  const parser = new FrameParser(sink)
  sink.onPing = () => {
    throw new Error('of the app')
  }
  assert.throws(() => parser.receive(clientFrame({ opcode: 9 })), /of the app/)
  parser.receive(clientFrame({ opcode: 1, payload: 'a' }))
  assert.deepEqual(sink.events, [])
})

test('a fault names the limit that was passed', () => {
  const parser = new FrameParser(new Recorder(), { ...defaultParserSettings, maxMessageBytes: 10 })
  assert.throws(() => parser.receive(clientFrame({ opcode: 1, announced: 11n })), {
    message: 'The client sent a message of more than 10 bytes',
    closeCode: 1009
  })
})

test('two parsers do not disturb each other in the middle of headers and frames', () => {
  const frames = [
    clientFrame({ opcode: 1, payload: 'a'.repeat(200), key: 1 }),
    clientFrame({ opcode: 2, payload: 'b'.repeat(90) })
  ]
  const sinks = frames.map(() => new Recorder())
  const parsers = sinks.map((sink) => new FrameParser(sink))
  for (let at = 0; at < 300; at++) {
    for (const [index, parser] of parsers.entries())
      parser.receive(Buffer.from(frames[index]!.subarray(at, at + 1)))
  }
  assert.deepEqual(
    sinks.map((sink) => sink.events),
    [[['text', 'a'.repeat(200)]], [['binary', 'b'.repeat(90)]]]
  )
})

test('another parser goes on for one that is at rest, which it is between messages and nowhere else', () => {
  const messages = [
    clientFrame({ opcode: 1, payload: 'whole' }),
    clientFrames({ opcode: 1, payload: 'in ', isFinal: false }, { opcode: 9 }, { opcode: 0, payload: 'two' }),
    clientFrame({ opcode: 10, payload: 'pong' })
  ]
  const sink = new Recorder()
  const starts: number[] = []
  let parser = new FrameParser(sink)
  for (const [at, byte] of Buffer.concat(messages).entries()) {
    if (parser.isAtRest) {
      starts.push(at)
      parser = new FrameParser(sink)
    }
    parser.receive(Buffer.of(byte))
  }
  assert.deepEqual(starts, [0, messages[0]!.length, messages[0]!.length + messages[1]!.length])
  assert.deepEqual(sink.events, read(Buffer.concat(messages)).events)
  parser.stop()
  assert.equal(parser.isAtRest, false)
})

test('2,000 connections that announce a megabyte and send little hold little', () => {
  const before = process.memoryUsage().arrayBuffers
  const parsers = Array.from({ length: 2000 }, () => new FrameParser(new Recorder()))
  const start = clientFrame({ opcode: 2, announced: BigInt(MIB) })
  for (const parser of parsers) parser.receive(Buffer.from(start))
  for (let count = 0; count < 200; count++) for (const parser of parsers) parser.receive(Buffer.of(0))
  // 200 bytes each arrived; buffers of the single bytes may wait to be collected, so the bound is a loose one.
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * MIB)
})

/** 800 bytes in two fragments with a ping between them, then the last one. */
function threeFragments(last: number): Buffer {
  return clientFrames(
    { opcode: 2, payload: Buffer.alloc(400), isFinal: false },
    { opcode: 9, payload: Buffer.alloc(125) },
    { opcode: 0, payload: Buffer.alloc(400), isFinal: false },
    { opcode: 0, payload: Buffer.alloc(last) }
  )
}

/** A message in so many fragments, of which only the last has a payload. */
function fragmented(count: number): Buffer {
  const middle = Array.from({ length: count - 2 }, () => ({ opcode: 0, isFinal: false }))
  return clientFrames({ opcode: 1, isFinal: false }, ...middle, { opcode: 0, payload: 'end' })
}
