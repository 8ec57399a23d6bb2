import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeCodes, isCloseCode } from './close-codes.ts'

test('a close frame may carry the codes of RFC 6455 section 7.4 and no other', () => {
  const allowed: number[] = []
  for (let code = 0; code <= 65_535; code++) if (isCloseCode(code)) allowed.push(code)
  const ranges = [
    [1000, 1003],
    [1007, 1014],
    [3000, 4999]
  ] as const
  const expected = ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index)
  )
  assert.deepEqual(allowed, expected)
})

test('what is no whole number is no close code', () => {
  for (const code of [Number.NaN, 1000.5, 3000.5, Infinity, -1000]) assert.equal(isCloseCode(code), false)
})

test('only the two codes that stand for a missing one are not for the wire', () => {
  const names = Object.entries(closeCodes).filter(([, code]) => !isCloseCode(code))
  assert.deepEqual(names, [
    ['noStatus', 1005],
    ['abnormal', 1006]
  ])
})
