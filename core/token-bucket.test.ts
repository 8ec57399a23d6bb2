import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBucket } from './token-bucket.ts'

const rate = { perSecond: 10, burst: 3 }

test('a burst may happen at once, and then one after another as tokens come back', () => {
  const bucket = new TokenBucket(rate, 1000)
  for (let count = 0; count < 3; count++) equal(bucket.take(1000), 0)
  equal(bucket.take(1000), 100)
  equal(bucket.take(1040), 60)
  equal(bucket.take(1099), 1)
  equal(bucket.take(1100), 0)
  equal(bucket.take(1100), 100)
})

test('what is refused costs nothing', () => {
  const bucket = new TokenBucket(rate, 0)
  for (let count = 0; count < 3; count++) bucket.take(0)
  for (let count = 0; count < 100; count++) equal(bucket.take(50), 50)
  equal(bucket.take(100), 0)
})

test('no more than the burst comes back, however long the pause', () => {
  const bucket = new TokenBucket(rate, 0)
  for (let count = 0; count < 3; count++) equal(bucket.take(1e9), 0)
  equal(bucket.take(1e9), 100)
})

test('what is spent ahead of time is paid for by waiting', () => {
  const bucket = new TokenBucket(rate, 0)
  for (let count = 0; count < 3; count++) equal(bucket.spend(0), 0)
  equal(bucket.spend(0), 100)
  equal(bucket.spend(0), 200)
  equal(bucket.debt(150), 50)
  equal(bucket.debt(200), 0)
  equal(bucket.take(200), 100)
})

test('it is full again after a pause, and not before', () => {
  const bucket = new TokenBucket(rate, 0)
  equal(bucket.isFull(0), true)
  bucket.take(0)
  equal(bucket.isFull(99), false)
  equal(bucket.isFull(100), true)
})

test('a rate whose interval is no whole number lets exactly its burst through, after days as well', () => {
  for (const now of [0, 1e6 + 0.1, 1e9 + 1 / 3]) {
    const bucket = new TokenBucket({ perSecond: 30, burst: 7 }, now)
    for (let round = 0; round < 100; round++) {
      const at = now + round * 1000
      for (let count = 0; count < 7; count++) equal(bucket.take(at), 0)
      equal(bucket.take(at), 34)
    }
  }
})

test('a rate of less than one a second works as well', () => {
  const bucket = new TokenBucket({ perSecond: 0.5, burst: 1 }, 0)
  equal(bucket.take(0), 0)
  equal(bucket.take(1), 1999)
  equal(bucket.take(2000), 0)
})
