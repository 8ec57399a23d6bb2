import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Queue } from './queue.ts'

test('gives back what was put in, in order, while more comes', () => {
  const queue = new Queue<number>()
  let next = 0
  for (let number = 0; number < 10_000; number++) {
    queue.push(number)
    if (number % 3 > 0) assert.equal(queue.shift(), next++)
    assert.equal(queue.first, next > number ? undefined : next)
    assert.equal(queue.size, number + 1 - next)
  }
  assert.deepEqual(
    [...queue],
    Array.from({ length: 10_000 - next }, (_, index) => next + index)
  )
  while (queue.size > 0) assert.equal(queue.shift(), next++)
  assert.equal(next, 10_000)
  assert.equal(queue.shift(), undefined)
})

test('is empty when cleared', () => {
  const queue = new Queue<number>()
  queue.push(1)
  queue.push(2)
  queue.shift()
  queue.clear()
  assert.equal(queue.size, 0)
  assert.equal(queue.first, undefined)
  assert.deepEqual([...queue], [])
})
