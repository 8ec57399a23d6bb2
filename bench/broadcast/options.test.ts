import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broadcasterKinds } from '../peers/broadcasters.ts'
import { caseKinds, parseBroadcastOptions } from './options.ts'

test('everything is measured at all subscriber counts by default', () => {
  const { repeats, subscribers, only, servers, json } = parseBroadcastOptions([])
  assert.equal(repeats, 5)
  assert.deepEqual(subscribers, [10, 100, 500, 1000, 5000, 10_000])
  assert.deepEqual(only, [...caseKinds])
  assert.deepEqual(servers, [...broadcasterKinds])
  assert.equal(json, null)
})

test('a value that cannot be used is named with its option', () => {
  assert.throws(() => parseBroadcastOptions(['--subscribers', '10,0']), /--subscribers takes positive/)
  assert.throws(() => parseBroadcastOptions(['--servers', 'uws']), /--servers takes scherzo, .*, not "uws"/)
})
