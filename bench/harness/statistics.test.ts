import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotate, summarise, summariseRatios } from './statistics.ts'

test('the median of an odd number of values is the middle one, whatever their order', () => {
  assert.deepEqual(summarise([10, 2, 33]), { median: 10, min: 2, max: 33 })
})

test('the median of an even number of values lies between the middle two', () => {
  assert.deepEqual(summarise([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 })
})

test('a single value is its own median and range', () => {
  assert.deepEqual(summarise([7]), { median: 7, min: 7, max: 7 })
})

test('no values give no figures', () => {
  assert.deepEqual(summarise([]), { median: Number.NaN, min: Number.NaN, max: Number.NaN })
})

test('summarising leaves the values as they were', () => {
  const values = [3, 1, 2]
  summarise(values)
  assert.deepEqual(values, [3, 1, 2])
})

test('ratios are taken pair by pair before their median', () => {
  // The ratio of the medians would be 20 / 10.
  assert.deepEqual(summariseRatios([30, 20, 4], [10, 20, 1]), { median: 3, min: 1, max: 4 })
})

test('a repeat without its other half is left out of the ratios', () => {
  assert.deepEqual(summariseRatios([30, 20], [10]), { median: 3, min: 3, max: 3 })
})

test('every item goes first once in as many rotations as there are items', () => {
  const orders = [0, 1, 2, 3].map((by) => rotate(['a', 'b', 'c'], by).join(''))
  assert.deepEqual(orders, ['abc', 'bca', 'cab', 'abc'])
  assert.deepEqual(rotate([], 2), [])
})
