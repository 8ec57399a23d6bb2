import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { PublishedKeys } from './published-keys.ts'

test('a key is remembered for its channel, until its time has passed', () => {
  let now = 0
  const keys = new PublishedKeys(1000, 10, () => now)
  equal(keys.offsetOf(1, 'a'), 0)
  keys.add(1, 'a', 7)
  equal(keys.offsetOf(1, 'a'), 7)
  equal(keys.offsetOf(2, 'a'), 0)
  equal(keys.offsetOf(1, 'b'), 0)
  now = 999
  equal(keys.offsetOf(1, 'a'), 7)
  now = 1000
  equal(keys.offsetOf(1, 'a'), 0)
  keys.add(1, 'a', 9)
  now = 1999
  equal(keys.offsetOf(1, 'a'), 9)
})

test('keys with colons and channels with digits are not mixed up', () => {
  const keys = new PublishedKeys(1000, 10, () => 0)
  keys.add(1, '2:a', 5)
  equal(keys.offsetOf(12, 'a'), 0)
  equal(keys.offsetOf(1, '2:a'), 5)
})

test('beyond the number the oldest are forgotten, and what has ended makes room', () => {
  let now = 0
  const keys = new PublishedKeys(1000, 3, () => now)
  for (let offset = 1; offset <= 5; offset++) keys.add(1, `key ${offset}`, offset)
  equal(keys.size, 3)
  equal(keys.offsetOf(1, 'key 2'), 0)
  equal(keys.offsetOf(1, 'key 3'), 3)
  now = 2000
  keys.add(1, 'key 6', 6)
  equal(keys.size, 1)
})

test('a key that is used again after its time ends with the others of that time', () => {
  let now = 0
  const keys = new PublishedKeys(1000, 10, () => now)
  keys.add(1, 'a', 1)
  now = 1500
  keys.add(1, 'b', 2)
  keys.add(1, 'a', 3)
  equal(keys.size, 2)
  now = 2600
  keys.add(1, 'c', 4)
  equal(keys.size, 1)
})

test('without time or room nothing is remembered', () => {
  for (const keys of [new PublishedKeys(0, 10), new PublishedKeys(1000, 0)]) {
    keys.add(1, 'a', 1)
    equal(keys.size, 0)
    equal(keys.offsetOf(1, 'a'), 0)
  }
})
