import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sequence, settle } from './sequence.ts'

function received(...sequences: number[]): Sequence {
  const sequence = new Sequence()
  for (const one of sequences) sequence.takeUnexpected(one)
  return sequence
}

test('what was delivered and what is in flight add up to what was published', () => {
  const account = settle([received(0, 1, 2), received(0)], 3)
  assert.deepEqual(account, { owed: 6, delivered: 4, skipped: 0, inFlight: 2, faults: [] })
})

test('a hole is a fault, at the beginning too', () => {
  for (const sequence of [received(1, 2), received(0, 2)]) {
    assert.match(settle([sequence], 3).faults[0] ?? '', /1 missing, 0 repeated/)
  }
})

test('a hole of which the server has told is none', () => {
  const sequence = received(0)
  sequence.takeSkipped(1, 2)
  sequence.takeUnexpected(3)
  assert.deepEqual(settle([sequence], 4), { owed: 4, delivered: 2, skipped: 2, inFlight: 0, faults: [] })
})

test('telling too few or too many is a fault', () => {
  for (const [first, last] of [
    [2, 2],
    [0, 2],
    [1, 3]
  ] as const) {
    const sequence = received(0)
    sequence.takeSkipped(first, last)
    sequence.takeUnexpected(3)
    assert.equal(settle([sequence], 4).faults.length, 1)
  }
})

test('duplicates, disorder and more than was published are faults', () => {
  for (const sequence of [received(0, 1, 1), received(0, 2, 1), received(0, 1, 2, 3)]) {
    assert.equal(settle([sequence], 3).faults.length, 1)
  }
})
