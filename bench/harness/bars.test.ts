import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bar, compare, isMet } from './bars.ts'
import type { CaseResult } from './case.ts'

const result = {
  samples: new Map([
    ['a', [{ figures: { rate: 20 }, warnings: [] }]],
    ['b', [{ figures: { rate: 10 }, warnings: [] }]]
  ])
} as unknown as CaseResult

const bar = { case: 'c', server: 'a', peer: 'b', figure: 'rate', title: 'rate' }

test('compares a server with a peer, and with nobody where one of them did not run', () => {
  assert.equal(compare(result, 'a', 'b', 'rate')?.median, 2)
  assert.equal(compare(result, 'a', 'missing', 'rate'), null)
  assert.equal(compare(undefined, 'a', 'b', 'rate'), null)
})

test('a bar is met at its own value and on its good side', () => {
  const atLeast: Bar = { ...bar, wanted: { atLeast: 0.95 } }
  assert.deepEqual([isMet(atLeast, 0.949), isMet(atLeast, 0.95), isMet(atLeast, 1)], [false, true, true])
  const atMost: Bar = { ...bar, wanted: { atMost: 1.2 } }
  assert.deepEqual([isMet(atMost, 1.201), isMet(atMost, 1.2), isMet(atMost, 1)], [false, true, true])
})
