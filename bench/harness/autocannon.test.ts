import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toSample } from './autocannon.ts'

const report = {
  duration: 2,
  requests: { total: 50_000 },
  latency: { p50: 2, p99: 5 },
  errors: 0,
  timeouts: 0,
  non2xx: 0
}

const spent = { server: { user: 0.25, system: 0.75 }, core: 1 }

test("gives autocannon's rate and latency and the server's CPU time", () => {
  const { figures, warnings } = toSample(report, spent)
  assert.equal(figures['rate'], 25_000)
  assert.equal(figures['cpu'], 20)
  assert.equal(figures['p99'], 5)
  assert.deepEqual(warnings, [])
})

test('reports errors and fails when statuses are bad', () => {
  assert.deepEqual(toSample({ ...report, errors: 2 }, spent).warnings, ['socket errors: 2, timeouts: 0'])
  assert.throws(() => toSample({ ...report, non2xx: 1 }, spent), /not 2xx/)
})
