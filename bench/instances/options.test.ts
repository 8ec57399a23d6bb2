import assert from 'node:assert/strict'
import { test } from 'node:test'
import { barsFor } from './bars.ts'
import { caseKinds, parseInstancesOptions } from './options.ts'
import { siteKinds } from './sites.ts'

test('everything is measured between all pairs of instances by default', () => {
  const { repeats, subscribers, only, sites, json } = parseInstancesOptions([])
  assert.equal(repeats, 3)
  assert.deepEqual(subscribers, [10, 100, 500, 1000, 5000])
  assert.deepEqual(only, [...caseKinds])
  assert.deepEqual(sites, [...siteKinds])
  assert.equal(json, null)
})

test('a value that cannot be used is named with its option', () => {
  assert.throws(() => parseInstancesOptions(['--subscribers', '0']), /--subscribers takes positive/)
  assert.throws(() => parseInstancesOptions(['--sites', 'kafka']), /--sites takes redis, .*, not "kafka"/)
})

test('Scherzo is held to a rate where that is measured', () => {
  assert.equal(barsFor(parseInstancesOptions([])).length, 2)
  assert.equal(barsFor(parseInstancesOptions(['--subscribers', '10,100'])).length, 0)
  assert.equal(barsFor(parseInstancesOptions(['--sites', 'nats'])).length, 0)
})
