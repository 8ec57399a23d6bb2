import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScherzoError } from '../errors.ts'
import { binaryFrame, closeFrame, pingFrame, pongFrame, textFrame } from './frames.ts'

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)

test('composes the examples of RFC 6455 section 5.7 and RFC 7692 section 7.2.3', () => {
  assert.equal(textFrame('Hello').toString('hex'), '810548656c6c6f')
  assert.equal(pingFrame('Hello').toString('hex'), '890548656c6c6f')
  assert.equal(pongFrame('Hello').toString('hex'), '8a0548656c6c6f')
  assert.equal(textFrame(Buffer.from('f248cdc9c90700', 'hex'), true).toString('hex'), 'c107f248cdc9c90700')
  assert.equal(binaryFrame(Buffer.alloc(256)).subarray(0, 4).toString('hex'), '827e0100')
  assert.equal(binaryFrame(Buffer.alloc(65_536)).subarray(0, 10).toString('hex'), '827f0000000000010000')
})

test('writes the length in as few bytes as it needs', () => {
  const heads: readonly [number, string][] = [
    [0, '8200'],
    [125, '827d'],
    [126, '827e007e'],
    [65_535, '827effff'],
    [65_536, '827f0000000000010000']
  ]
  for (const [length, head] of heads) {
    const frame = binaryFrame(Buffer.alloc(length))
    assert.equal(frame.length, head.length / 2 + length)
    assert.equal(frame.subarray(0, head.length / 2).toString('hex'), head)
  }
})

test('a string gives its UTF-8, as text and as binary', () => {
  assert.deepEqual(textFrame('é水'), Buffer.from('8105c3a9e6b0b4', 'hex'))
  assert.deepEqual(binaryFrame('é水'), Buffer.from('8205c3a9e6b0b4', 'hex'))
  const long = 'é'.repeat(100)
  assert.equal(textFrame(long).subarray(4).toString(), long)
})

test('takes a view into a larger buffer', () => {
  assert.deepEqual(textFrame(Buffer.from('Hello').subarray(1, 3)), Buffer.from('8102656c', 'hex'))
  assert.deepEqual(binaryFrame(bytes(1, 2, 3).subarray(2)), Buffer.from('820103', 'hex'))
})

test('a ping or pong can be empty, and carries 125 bytes but no more', () => {
  assert.equal(pingFrame().toString('hex'), '8900')
  assert.equal(pongFrame().toString('hex'), '8a00')
  assert.equal(pingFrame('a'.repeat(125)).length, 127)
  for (const compose of [pingFrame, pongFrame]) {
    assert.throws(() => compose(Buffer.alloc(126)), { code: 'SCZ_ERR_WS_PING_SIZE' })
    assert.throws(() => compose('é'.repeat(63)), { code: 'SCZ_ERR_WS_PING_SIZE' })
  }
})

test('a close frame has a code and a reason, a code alone, or neither', () => {
  assert.equal(closeFrame().toString('hex'), '8800')
  assert.equal(closeFrame(null, 'unused').toString('hex'), '8800')
  assert.equal(closeFrame(1000).toString('hex'), '880203e8')
  assert.equal(closeFrame(4999, 'bye').toString('hex'), '88051387627965')
})

test('cuts a long reason to 123 bytes at the end of a character', () => {
  assert.equal(reasonOf('a'.repeat(123)), 'a'.repeat(123))
  assert.equal(reasonOf('a'.repeat(5000)), 'a'.repeat(123))
  assert.equal(reasonOf('é'.repeat(62)), 'é'.repeat(61))
  assert.equal(reasonOf('水'.repeat(60)), '水'.repeat(41))
  assert.equal(reasonOf(`a${'𝄟'.repeat(40)}`), `a${'𝄟'.repeat(30)}`)
  assert.equal(reasonOf(`${'a'.repeat(122)}𝄟`), 'a'.repeat(122))
})

test('refuses to compose a close frame with a code that must not be sent', () => {
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_536, 1000.5]) {
    assert.throws(
      () => closeFrame(code),
      (error) => error instanceof ScherzoError && error.code === 'SCZ_ERR_WS_CLOSE_CODE'
    )
  }
})

function reasonOf(reason: string): string {
  return closeFrame(1000, reason).subarray(4).toString()
}
