import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { compress, inflate, longestDeflated, negotiateDeflate } from './deflate.ts'
import { parseExtensions } from './extensions.ts'

const BASE = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const LIMIT = 1_048_576

test('answers an offer without context takeover, whether it asks for that or not', () => {
  for (const offer of [
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate; client_max_window_bits=8',
    'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; client_max_window_bits="15"'
  ]) {
    assert.deepEqual(negotiated(offer), { maxWindowBits: 15, header: BASE }, offer)
  }
})

test('keeps to the window that the client asks for', () => {
  for (const bits of [8, 9, 10, 14, 15]) {
    const expected = { maxWindowBits: bits, header: `${BASE}; server_max_window_bits=${bits}` }
    assert.deepEqual(negotiated(`permessage-deflate; server_max_window_bits=${bits}`), expected)
    assert.deepEqual(negotiated(`permessage-deflate; server_max_window_bits="${bits}"`), expected)
  }
})

test('declines an offer with an invalid, unknown or repeated parameter', () => {
  for (const parameter of [
    'server_max_window_bits',
    'server_max_window_bits=7',
    'server_max_window_bits=16',
    'server_max_window_bits=08',
    'server_max_window_bits=1e1',
    'client_max_window_bits=7',
    'client_max_window_bits=x',
    'server_no_context_takeover=1',
    'client_no_context_takeover=true',
    'client_no_context_takeover; client_no_context_takeover',
    'unknown',
    'SERVER_NO_CONTEXT_TAKEOVER'
  ]) {
    assert.equal(negotiated(`permessage-deflate; ${parameter}`), null, parameter)
  }
  assert.equal(negotiated('x-webkit-deflate-frame'), null)
  assert.equal(negotiated(''), null)
})

test('takes the first offer that it does not have to decline', () => {
  assert.equal(negotiated('permessage-deflate; unknown, foo, permessage-deflate')?.header, BASE)
  assert.equal(
    negotiated('permessage-deflate; server_max_window_bits=10, permessage-deflate')?.maxWindowBits,
    10
  )
})

test('compresses and inflates messages of every size, at every level and window', () => {
  for (const length of [60, 250, 256, 257, 1000, 32_506, 32_507, 65_536, LIMIT]) {
    const data = sample(length)
    for (const level of [1, 3, 6]) assert.ok(inflate(compress(data, level)!, LIMIT).equals(data))
    for (let bits = 9; bits <= 15; bits++) assert.ok(inflate(compress(data, 3, bits)!, LIMIT).equals(data))
  }
})

test('leaves off the empty block at the end', () => {
  const compressed = compress(Buffer.from('HelloHelloHelloHello'))!
  assert.notEqual(compressed.subarray(-4).toString('hex'), '0000ffff')
  assert.equal(inflate(compressed, 100).toString(), 'HelloHelloHelloHello')
})

test('gives null where compressing does not make a message smaller', () => {
  for (const text of ['', 'a', 'Hello', 'abcdefghij']) assert.equal(compress(Buffer.from(text)), null)
})

test('with a window of 8 bits compresses only what fits one', () => {
  assert.ok(inflate(compress(sample(256), 3, 8)!, 1000).equals(sample(256)))
  assert.equal(compress(sample(257), 3, 8), null)
})

test('inflates the examples of RFC 7692 section 7.2.3', () => {
  for (const hex of [
    'f248cdc9c90700',
    '000500faff48656c6c6f00',
    'f348cdc9c9070000',
    'f24805000000ffffcac9c90700',
    // A final block without the padding behind it.
    'f348cdc9c90700'
  ]) {
    assert.equal(inflate(Buffer.from(hex, 'hex'), 5).toString(), 'Hello', hex)
  }
  assert.equal(inflate(Buffer.from('00', 'hex'), 5).length, 0)
  assert.equal(inflate(Buffer.alloc(0), 5).length, 0)
})

test('takes a message up to the limit and refuses one byte more', () => {
  for (const limit of [1, 5, 16_383, 16_384, 16_385, 100_000]) {
    assert.equal(inflate(deflated(Buffer.alloc(limit)), limit).length, limit)
    assert.throws(() => inflate(deflated(Buffer.alloc(limit + 1)), limit), {
      code: 'SCZ_ERR_WS_MESSAGE_SIZE',
      closeCode: 1009
    })
  }
})

test('knows how long a message gets that deflating does not shorten', () => {
  for (const length of [1, 5, 100, 1000, 65_536, LIMIT]) {
    const noise = randomBytes(length)
    for (const options of [
      { memLevel: 1, windowBits: 9 },
      { level: 0, memLevel: 1 },
      { strategy: constants.Z_FIXED },
      {}
    ]) {
      const { length: deflatedLength } = deflateRawSync(noise, {
        ...options,
        finishFlush: constants.Z_SYNC_FLUSH
      })
      assert.ok(deflatedLength - 4 <= longestDeflated(length), `${deflatedLength} for ${length}`)
    }
  }
})

test('refuses a decompression bomb without inflating it', () => {
  // 64 MiB of zeros in 64 KiB; the engine's 16 KiB chunks are all that can be there above the limit.
  const bomb = deflated(Buffer.alloc(67_108_864))
  assert.ok(bomb.length < 70_000)
  const before = process.memoryUsage().arrayBuffers
  assert.throws(() => inflate(bomb, 65_536), { code: 'SCZ_ERR_WS_MESSAGE_SIZE' })
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_048_576)
})

test('refuses what is no DEFLATE data, refers to an earlier message or is cut off', () => {
  const whole = deflated(sample(1000))
  const list = Array.from({ length: whole.length - 1 }, (_, cut) => whole.subarray(0, cut + 1))
  const afterAnother = deflateRawSync(sample(1000), {
    dictionary: sample(900),
    finishFlush: constants.Z_SYNC_FLUSH
  })
  list.push(Buffer.from('ff', 'hex'), Buffer.from('Hello'), afterAnother.subarray(0, -4))
  for (const data of list) {
    const error = { code: 'SCZ_ERR_WS_COMPRESSED_DATA', closeCode: 1007 }
    assert.throws(() => inflate(data, LIMIT), error, data.toString('hex'))
  }
})

test('refuses data behind a final block', () => {
  for (const hex of ['f348cdc9c9070001', 'f348cdc9c907000000', `f348cdc9c90700${'0300'.repeat(1000)}`]) {
    assert.throws(() => inflate(Buffer.from(hex, 'hex'), LIMIT), { code: 'SCZ_ERR_WS_COMPRESSED_DATA' }, hex)
  }
})

function negotiated(value: string): ReturnType<typeof negotiateDeflate> {
  return negotiateDeflate(parseExtensions(value)!)
}

function sample(length: number): Buffer {
  const parts: string[] = []
  for (let id = 0, size = 0; size < length; id++) {
    const part = JSON.stringify({ id, price: ((id * 7919) % 1000) / 7 })
    parts.push(part)
    size += part.length
  }
  return Buffer.from(parts.join('').slice(0, length))
}

function deflated(data: Buffer): Buffer {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}
