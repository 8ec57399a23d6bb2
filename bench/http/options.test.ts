import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseKinds, parseOptions } from './options.ts'

test('everything is measured at all connection counts by default', () => {
  const { repeats, connections, only, json } = parseOptions([])
  assert.equal(repeats, 5)
  assert.deepEqual(connections, [64, 256, 1024, 4096, 16_384])
  assert.deepEqual(only, [...caseKinds])
  assert.equal(json, null)
})

test('lists are separated by commas', () => {
  const { connections, only } = parseOptions(['--connections', '64,1024', '--only', 'json,memory'])
  assert.deepEqual(connections, [64, 1024])
  assert.deepEqual(only, ['json', 'memory'])
})

test('a value that cannot be used is named with its option', () => {
  assert.throws(() => parseOptions(['--repeats', '1.5']), /--repeats takes positive numbers, not "1.5"/)
  assert.throws(() => parseOptions(['--connections', '64,']), /--connections takes positive numbers, not ""/)
  assert.throws(() => parseOptions(['--only', 'plain']), /--only takes plaintext, .*, not "plain"/)
})
