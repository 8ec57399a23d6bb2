import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareFigures } from './verdict.ts'

test('a change that all processes show is flagged, in both directions', () => {
  const before = [100, 101, 99, 100, 102, 100]
  const after = [90, 91, 89, 90, 92, 90]
  assert.equal(compareFigures(before, after).verdict, 'faster')
  assert.equal(compareFigures(after, before).verdict, 'slower')
  assert.ok(Math.abs(compareFigures(before, after).change + 0.1) < 1e-9)
})

test('the same figures make no difference', () => {
  assert.equal(compareFigures([100, 101, 99, 100], [100, 99, 101, 100]).verdict, 'no difference')
})

test('a small change is no difference, however steady the figures are', () => {
  assert.equal(compareFigures([100, 100, 100, 100], [102, 102, 102, 102]).verdict, 'no difference')
})

test('a change within the noise of one of the commits is no difference', () => {
  const noisy = [100, 130, 100, 130, 100, 130]
  assert.equal(compareFigures(noisy, [100, 100, 101, 100, 100, 101]).verdict, 'no difference')
})
