import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import { UTF8_INVALID, UTF8_START, advanceUtf8 } from './utf8.ts'

test('agrees with node:buffer on every one, two and three bytes that matter', () => {
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec]
  edges.push(0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfc, 0xfe, 0xff)
  for (let lead = 0; lead <= 0xff; lead++) {
    check([lead])
    for (let second = 0; second <= 0xff; second++) check([lead, second])
    for (const second of edges) for (const third of edges) check([lead, second, third])
  }
})

test('agrees with node:buffer on every four bytes at the edges of the ranges', () => {
  const edges = [0x7f, 0x80, 0x8f, 0x90, 0xbf, 0xc0]
  for (let lead = 0xef; lead <= 0xff; lead++) {
    for (const second of edges) {
      for (const third of edges) for (const fourth of edges) check([lead, second, third, fourth])
    }
  }
})

test('gives the same however a text is cut, short or long', () => {
  const texts = [
    'κόσμε',
    '水@𝄟\u{10ffff}\ue000\ud7ff',
    `${'a'.repeat(70)}é`,
    '𝄟'.repeat(60),
    `é${'水'.repeat(50)}`
  ]
  for (const text of texts) {
    const bytes = Buffer.from(text)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const state = advanceUtf8(UTF8_START, bytes, 0, cut)
      assert.notEqual(state, UTF8_INVALID)
      assert.equal(state === UTF8_START, isUtf8(bytes.subarray(0, cut)), `${text} at ${cut}`)
      assert.equal(advanceUtf8(state, bytes, cut, bytes.length), UTF8_START)
    }
  }
})

test('tells at the first byte that no continuation can save', () => {
  // Autobahn 6.4: each is refused at the byte named here, not at the end of the character.
  const cases: readonly [string, number][] = [
    ['f490', 1],
    ['eda0', 1],
    ['e09f', 1],
    ['f08f', 1],
    ['c0', 0],
    ['c1', 0],
    ['f5', 0],
    ['80', 0],
    ['e282c3', 2],
    ['f09d84f0', 3]
  ]
  for (const [hex, bad] of cases) {
    for (const before of ['', 'a'.repeat(100), 'κ'.repeat(50)]) {
      const bytes = Buffer.concat([Buffer.from(before), Buffer.from(hex, 'hex')])
      const at = bytes.length - hex.length / 2 + bad
      assert.notEqual(advanceUtf8(UTF8_START, bytes, 0, at), UTF8_INVALID, hex)
      assert.equal(advanceUtf8(UTF8_START, bytes, 0, at + 1), UTF8_INVALID, hex)
    }
  }
})

test('reads only from start to end', () => {
  const bytes = Buffer.from([0xff, 0x61, 0xff])
  assert.equal(advanceUtf8(UTF8_START, bytes, 1, 2), UTF8_START)
  const long = Buffer.concat([Buffer.from([0xff]), Buffer.alloc(200, 'a'), Buffer.from([0xff])])
  assert.equal(advanceUtf8(UTF8_START, long, 1, 201), UTF8_START)
})

/** In one piece, byte by byte, and behind so much ASCII that the fast path takes it. */
function check(list: readonly number[]): void {
  const bytes = Buffer.from(list)
  const isValid = isUtf8(bytes)
  let state = UTF8_START
  for (let at = 0; at < bytes.length && state !== UTF8_INVALID; at++) {
    state = advanceUtf8(state, bytes, at, at + 1)
  }
  const long = Buffer.concat([ASCII, bytes])
  const whole = advanceUtf8(UTF8_START, bytes, 0, bytes.length)
  const behind = advanceUtf8(UTF8_START, long, 0, long.length)
  if ((state === UTF8_START) !== isValid || whole !== state || behind !== state) {
    assert.fail(`${bytes.toString('hex')}: ${state}, ${whole}, ${behind}; valid: ${isValid}`)
  }
}

const ASCII = Buffer.alloc(80, 'a')
