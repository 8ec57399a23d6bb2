import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSaturated, sampleOf } from './sample.ts'

test('gives the rate and the CPU time per request', () => {
  const { figures, warnings } = sampleOf({
    requests: 50_000,
    seconds: 2,
    server: { user: 0.25, system: 0.75 },
    core: 1
  })
  assert.deepEqual(figures, { rate: 25_000, cpu: 20, cpuUser: 5, cpuSystem: 15, busy: 0.5, others: 0 })
  assert.deepEqual(warnings, [])
})

test("warns of others on the server's core", () => {
  const sample = sampleOf({ requests: 1, seconds: 2, server: { user: 1, system: 0.8 }, core: 2 })
  assert.deepEqual(sample.warnings, ["others used 10 % of the server's core"])
})

test('a server is saturated when it and others leave nothing of its core', () => {
  const usage = { requests: 1, seconds: 1, server: { user: 0.4, system: 0.3 } }
  assert.equal(isSaturated(sampleOf({ ...usage, core: 0.7 })), false)
  assert.equal(isSaturated(sampleOf({ ...usage, core: 0.95 })), true)
  assert.equal(isSaturated({ figures: { perConnection: 1 }, warnings: [] }), true)
})
