import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeData, isAsPublished } from './data.ts'

test('the data are as long as they should be, with any sequence', () => {
  for (const bytes of [200, 2000]) {
    for (const sequence of [0, 9, 10, 63, 64, 12_345]) {
      assert.equal(JSON.stringify(composeData(sequence, bytes)).length, bytes)
    }
  }
})

test('a changed message is noticed', () => {
  const data = JSON.parse(JSON.stringify(composeData(7, 2000)))
  assert.ok(isAsPublished(data, 2000))
  data.orders[3].quantity++
  assert.ok(!isAsPublished(data, 2000))
  assert.ok(!isAsPublished(composeData(7, 200), 2000))
})
