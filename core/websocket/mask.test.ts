import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotateKey, unmask } from './mask.ts'

test('unmasks the example of RFC 6455 section 5.7', () => {
  const bytes = Buffer.from('7f9f4d5158', 'hex')
  unmask(bytes, 0, 5, 0x37fa213d)
  assert.equal(bytes.toString(), 'Hello')
})

test('gives the same for every length and every place in memory', () => {
  const key = 0x89abcdef | 0
  const mask = [0x89, 0xab, 0xcd, 0xef]
  for (let offset = 1; offset < 9; offset++) {
    for (let length = 0; length <= 200; length++) {
      const memory = Buffer.alloc(offset + length + 8, 0x5a)
      const expected = Buffer.from(memory)
      for (let index = 0; index < length; index++) expected[offset + index]! ^= mask[index % 4]!
      unmask(memory.subarray(1), offset - 1, offset - 1 + length, key)
      assert.ok(memory.equals(expected), `${length} bytes at ${offset}`)
    }
  }
})

test('a key turned by what is done unmasks the rest', () => {
  for (let length = 0; length < 150; length++) {
    for (const cut of [0, 1, 2, 3, 5, 64, 71].filter((cut) => cut <= length)) {
      const whole = Buffer.alloc(length, 1)
      const pieces = Buffer.alloc(length, 1)
      unmask(whole, 0, length, 0xfedcba98 | 0)
      unmask(pieces, 0, cut, 0xfedcba98 | 0)
      unmask(pieces, cut, length, rotateKey(0xfedcba98 | 0, cut))
      assert.ok(pieces.equals(whole), `${length} bytes cut at ${cut}`)
    }
  }
})
