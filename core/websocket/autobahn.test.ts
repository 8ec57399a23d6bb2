import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from '../errors.ts'
import { compress, negotiateDeflate } from './deflate.ts'
import { parseExtensions } from './extensions.ts'
import type { ParserSettings } from './frame-parser.ts'
import { binaryFrame, textFrame } from './frames.ts'
import { clientFrame, clientFrames } from './testing/client-frames.ts'
import type { ClientFrame } from './testing/client-frames.ts'
import { read, readEveryWay } from './testing/reading.ts'
import type { FrameEvent, Reading } from './testing/reading.ts'

// The cases of the Autobahn test suite that concern a server, by its numbers.

const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536]
const MIB = 1_048_576

test('1: text and binary of every length form come through, whole and in chops of 997 bytes', () => {
  for (const size of SIZES) {
    const payload = '*'.repeat(size)
    for (const sizes of [[], [997], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 70_000]]) {
      assert.deepEqual(read(clientFrame({ opcode: 1, payload }), sizes), happy(['text', payload]))
      assert.deepEqual(read(clientFrame({ opcode: 2, payload }), sizes), happy(['binary', payload]))
    }
    for (const frame of [textFrame(payload), binaryFrame(payload)]) {
      assert.equal(frame.subarray(frame.length - size).toString(), payload)
    }
  }
})

test('2: pings of up to 125 bytes of anything are answered, pongs that nobody asked for are let be', () => {
  const payload = Buffer.from('00fffefdfcfb00ff', 'hex')
  gives([{ opcode: 9 }], happy(['ping', '']))
  gives([{ opcode: 9, payload: 'Hello' }], happy(['ping', 'Hello']))
  gives([{ opcode: 9, payload }], happy(['ping', payload.toString('latin1')]))
  gives([{ opcode: 9, payload: Buffer.alloc(125, 0xfe) }], happy(['ping', 'þ'.repeat(125)]))
  gives([{ opcode: 9, payload: Buffer.alloc(126, 0xfe) }], unhappy('SCZ_ERR_WS_CONTROL_FRAME'))
  gives(
    [{ opcode: 10 }, { opcode: 10, payload: 'x' }, { opcode: 9 }],
    happy(['pong', ''], ['pong', 'x'], ['ping', ''])
  )
  const ten = Array.from({ length: 10 }, (_, index) => ({ opcode: 9, payload: `payload-${index}` }))
  gives(ten, happy(...ten.map(({ payload }) => ['ping', payload] as const)))
})

test('3: reserved bits that mean nothing are refused, on any frame', () => {
  for (let reserved = 1; reserved <= 7; reserved++) {
    for (const opcode of [1, 2, 8, 9, 10]) {
      const frames = [{ opcode: 1, payload: 'Hello' }, { opcode, reserved }, { opcode: 9 }]
      gives(frames, unhappy('SCZ_ERR_WS_RESERVED_BITS', ['text', 'Hello']))
    }
  }
})

test('4: reserved opcodes are refused, empty or not', () => {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    for (const payload of ['', 'reserved']) {
      const frames = [{ opcode: 1, payload: 'Hello' }, { opcode, payload }, { opcode: 9 }]
      gives(frames, unhappy('SCZ_ERR_WS_OPCODE', ['text', 'Hello']))
    }
  }
})

const first = { opcode: 1, payload: 'fragment1', isFinal: false }
const last = { opcode: 0, payload: 'fragment2' }
const both = ['text', 'fragment1fragment2'] as const

test('5: control frames are never fragmented', () => {
  for (const opcode of [8, 9, 10]) {
    gives([{ opcode, payload: 'fragment1', isFinal: false }, last], unhappy('SCZ_ERR_WS_CONTROL_FRAME'))
  }
})

test('5: messages are, with pings between the fragments', () => {
  gives([first, last], happy(both))
  gives([first, { opcode: 9, payload: 'ping' }, last], happy(['ping', 'ping'], both))
  const middle = { opcode: 0, payload: '-', isFinal: false }
  const ping = { opcode: 9, payload: 'ping' }
  gives(
    [first, middle, ping, middle, ping, last],
    happy(['ping', 'ping'], ['ping', 'ping'], ['text', 'fragment1--fragment2'])
  )
})

test('5: a continuation needs a message, and a message an end', () => {
  gives([last], unhappy('SCZ_ERR_WS_CONTINUATION'))
  gives([{ ...last, isFinal: false }, last], unhappy('SCZ_ERR_WS_CONTINUATION'))
  gives([{ opcode: 1, payload: 'whole' }, last], unhappy('SCZ_ERR_WS_CONTINUATION', ['text', 'whole']))
  gives([first, { opcode: 1, payload: 'new' }], unhappy('SCZ_ERR_WS_CONTINUATION'))
  gives([first, { opcode: 2, payload: 'new' }], unhappy('SCZ_ERR_WS_CONTINUATION'))
  gives([first, last, last], unhappy('SCZ_ERR_WS_CONTINUATION', both))
})

const VALID_TEXTS = [
  '',
  '48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121',
  'cebae1bdb9cf83cebcceb5',
  '00',
  'c280',
  'e0a080',
  'f0908080',
  '7f',
  'dfbf',
  'efbfbf',
  'f48fbfbf',
  'ed9fbf',
  'ee8080',
  'efbfbd',
  'efbfbe',
  'f09fbfbe',
  'f3bfbfbf'
]
const INVALID_TEXTS = [
  'cebae1bdb9cf83cebcceb5eda080656469746564',
  'cebae1bdb9cf83cebcceb5f4908080656469746564',
  '80',
  'bf',
  '80bf80bf80bf',
  'c020c120',
  'e020ef20',
  'f020f720',
  'f820fb20',
  'fc20fd20',
  'fe',
  'ff',
  'c0af',
  'e080af',
  'f08080af',
  'f8808080af',
  'c1bf',
  'e09fbf',
  'f08fbfbf',
  'c080',
  'f7bfbfbf',
  'eda080',
  'edadbf',
  'edaebf',
  'edafbf',
  'edb080',
  'edbfbf',
  'eda080edb080',
  // Cut off.
  'c3',
  'e080',
  'f08080',
  'cebae1bdb9cf83cebcceb5f0'
]

test('6: valid UTF-8 comes through, whole and with a fragment for every byte', () => {
  for (const hex of VALID_TEXTS) {
    const payload = Buffer.from(hex, 'hex')
    const text = ['text', payload.toString()] as const
    gives([{ opcode: 1, payload }], happy(text))
    gives(bytewise(payload), happy(text))
  }
})

test('6: invalid UTF-8 is refused, whole and with a fragment for every byte', () => {
  for (const hex of INVALID_TEXTS) {
    const payload = Buffer.from(hex, 'hex')
    gives([{ opcode: 1, payload }], unhappy('SCZ_ERR_WS_TEXT'))
    gives(bytewise(payload), unhappy('SCZ_ERR_WS_TEXT'))
  }
})

test('6.4: invalid UTF-8 is refused before the fragment or frame is whole', () => {
  const start = Buffer.from('cebae1bdb9cf83cebcceb5', 'hex')
  const cases = ['f4908080', 'f490', 'eda0', 'ff']
  for (const hex of cases) {
    const payload = Buffer.concat([start, Buffer.from(hex, 'hex')])
    assert.deepEqual(read(clientFrame({ opcode: 1, payload, isFinal: false })), unhappy('SCZ_ERR_WS_TEXT'))
    assert.deepEqual(read(clientFrame({ opcode: 1, payload, announced: 100n })), unhappy('SCZ_ERR_WS_TEXT'))
  }
})

test('7: nothing behind a close frame is interpreted', () => {
  const close = { opcode: 8, payload: Buffer.from('03e8', 'hex') }
  const closed = ['close', 1000, ''] as const
  gives([close, close], happy(closed))
  gives([close, { opcode: 9 }], happy(closed))
  gives([close, { opcode: 3 }], happy(closed))
  gives([first, close, last], happy(closed))
})

test('7: a close frame is empty, has a code, or has a code and a reason of up to 123 bytes in UTF-8', () => {
  gives([{ opcode: 8 }], happy(['close', null, '']))
  gives([{ opcode: 8, payload: '\x03' }], unhappy('SCZ_ERR_WS_CLOSE_FRAME'))
  gives([closeWith(1000, 'Hello World!')], happy(['close', 1000, 'Hello World!']))
  gives([closeWith(1000, '*'.repeat(123))], happy(['close', 1000, '*'.repeat(123)]))
  gives([closeWith(1000, '*'.repeat(124))], unhappy('SCZ_ERR_WS_CONTROL_FRAME'))
  for (const hex of INVALID_TEXTS) {
    gives([closeWith(1000, Buffer.from(hex, 'hex'))], unhappy('SCZ_ERR_WS_TEXT'))
  }
})

test('7: close codes are those that may be sent', () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
    gives([closeWith(code)], happy(['close', code, '']))
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535]) {
    gives([closeWith(code)], unhappy('SCZ_ERR_WS_CLOSE_FRAME'))
    gives([closeWith(code, 'with a reason')], unhappy('SCZ_ERR_WS_CLOSE_FRAME'))
  }
})

test('9: a message of 16 MiB comes through where the limit allows it, in fragments and chops of any size', () => {
  const limit = { maxMessageBytes: 16 * MIB, maxFragments: 300_000 }
  const payload = Buffer.alloc(16 * MIB, 'BAsd7&jh23')
  assert.equal(lengthOf(read(clientFrame({ opcode: 1, payload }), [65_536], limit)), payload.length)
  for (const size of [MIB, 4 * MIB]) {
    for (const fragment of [64, 4096, 65_536, MIB]) {
      const frames: ClientFrame[] = []
      for (let at = 0; at < size; at += fragment) {
        frames.push({
          opcode: at === 0 ? 2 : 0,
          isFinal: at + fragment >= size,
          payload: payload.subarray(at, at + fragment)
        })
      }
      assert.equal(lengthOf(read(clientFrames(...frames), [1300], limit)), size)
    }
  }
  for (const chop of [64, 128, 256, 512, 1024, 2048]) {
    assert.equal(lengthOf(read(clientFrame({ opcode: 1, payload: payload.subarray(0, MIB) }), [chop])), MIB)
  }
})

test('10: a message that is cut into fragments of 1300 bytes comes through', () => {
  const payload = '*'.repeat(65_536)
  const frames: ClientFrame[] = []
  for (let at = 0; at < payload.length; at += 1300) {
    frames.push({
      opcode: at === 0 ? 1 : 0,
      isFinal: at + 1300 >= payload.length,
      payload: payload.slice(at, at + 1300)
    })
  }
  assert.deepEqual(read(clientFrames(...frames)), happy(['text', payload]))
})

const OFFERS = [
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; client_no_context_takeover; client_max_window_bits',
  'permessage-deflate; server_max_window_bits=9; client_max_window_bits',
  'permessage-deflate; server_max_window_bits=15; client_max_window_bits',
  'permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits',
  'permessage-deflate; server_no_context_takeover; server_max_window_bits=15',
  'permessage-deflate; server_max_window_bits=9; unknown, permessage-deflate; server_no_context_takeover, permessage-deflate'
]

test('12 and 13: compressed messages of every size come through, for every offer, in fragments and chops', () => {
  for (const offer of OFFERS) {
    const agreement = negotiateDeflate(parseExtensions(offer)!)!
    for (const size of [64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072]) {
      const text = 'Lorem ipsum dolor sit amet — '.repeat(5000).slice(0, size)
      const payload = compress(Buffer.from(text), 6, agreement.maxWindowBits)!
      const whole = clientFrame({ opcode: 1, payload, reserved: 4 })
      const third = Math.ceil(payload.length / 3)
      const fragments = clientFrames(
        { opcode: 1, payload: payload.subarray(0, third), reserved: 4, isFinal: false },
        { opcode: 9 },
        { opcode: 0, payload: payload.subarray(third) }
      )
      const expected = ['text', text] as const
      assert.deepEqual(read(whole, [], DEFLATE), happy(expected))
      assert.deepEqual(read(whole, [5], DEFLATE), happy(expected))
      assert.deepEqual(read(fragments, [7], DEFLATE), happy(['ping', ''], expected))
    }
  }
})

test('12: RSV1 marks the first fragment only, and other messages may go uncompressed', () => {
  const payload = compress(Buffer.from('Hello'.repeat(10)))!
  const compressed = { opcode: 1, payload, reserved: 4 }
  const text = ['text', 'Hello'.repeat(10)] as const
  gives(
    [compressed, { opcode: 1, payload: 'plain' }, compressed],
    happy(text, ['text', 'plain'], text),
    DEFLATE
  )
  const fragment = { ...compressed, isFinal: false }
  gives([fragment, { opcode: 0, reserved: 4 }], unhappy('SCZ_ERR_WS_RESERVED_BITS'), DEFLATE)
  gives([{ opcode: 9, reserved: 4 }], unhappy('SCZ_ERR_WS_RESERVED_BITS'), DEFLATE)
  gives([{ ...compressed, reserved: 6 }], unhappy('SCZ_ERR_WS_RESERVED_BITS'), DEFLATE)
  gives([{ ...compressed, payload: 'ÿ' }], unhappy('SCZ_ERR_WS_COMPRESSED_DATA'), DEFLATE)
  const bomb = { ...compressed, payload: compress(Buffer.alloc(MIB + 1))! }
  gives([bomb], unhappy('SCZ_ERR_WS_MESSAGE_SIZE'), DEFLATE)
})

const DEFLATE: Partial<ParserSettings> = { deflate: true }

function happy(...events: readonly FrameEvent[]): Reading {
  return { events, fault: null }
}

function unhappy(fault: ErrorCode, ...events: readonly FrameEvent[]): Reading {
  return { events, fault }
}

/** However the frames are cut. */
function gives(
  frames: readonly ClientFrame[],
  expected: Reading,
  settings: Partial<ParserSettings> = {}
): void {
  const { reading, others } = readEveryWay(clientFrames(...frames), settings)
  assert.deepEqual(reading, expected, JSON.stringify(frames))
  assert.deepEqual(others, [], JSON.stringify(frames))
}

function bytewise(payload: Buffer): ClientFrame[] {
  const frames: ClientFrame[] = [{ opcode: 1, isFinal: false }]
  for (const byte of payload) frames.push({ opcode: 0, payload: Uint8Array.of(byte), isFinal: false })
  return [...frames, { opcode: 0 }]
}

function closeWith(code: number, reason: string | Buffer = ''): ClientFrame {
  return { opcode: 8, payload: Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), Buffer.from(reason)]) }
}

function lengthOf({ events, fault }: Reading): number | undefined {
  assert.equal(fault, null)
  assert.equal(events.length, 1)
  return String(events[0]![1]).length
}
