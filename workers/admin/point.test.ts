import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { LATENCY_BOUNDS, Stats } from '../metrics/stats.ts'
import type { ServerView } from '../server-view.ts'
import { fakeView, fakeWorker } from '../testing/fake-view.ts'
import { Census } from './census.ts'
import type { Snapshot } from './census.ts'
import { pointOf, quantileOf } from './point.ts'

const snapshotOf = (given: Partial<ServerView>): Snapshot => new Census(fakeView(given)).take()

test('a point has what was counted between two snapshots, per second', () => {
  const worker = fakeWorker(1, { utilisation: 0.25 })
  const retired = new Stats()
  worker.stats.countRequests('fast', 200, 0.000_1, 1000)
  worker.stats.count('hubDelivered', 50)
  worker.stats.count('hubBytesBefore', 900)
  worker.stats.count('hubBytesAfter', 900)
  const before = snapshotOf({ threads: [worker], retired, published: 5 })
  worker.stats.countRequests('fast', 200, 0.000_1, 30)
  worker.stats.countRequests('main', 500, 0.01, 4)
  retired.countRequests('fast', 404, 0.000_1, 10)
  worker.stats.count('hubDelivered', 200)
  worker.stats.count('hubSkipped', 6)
  worker.stats.count('hubBytesBefore', 1000)
  worker.stats.count('hubBytesAfter', 250)
  worker.stats.count('hubSlowClosed', 2)
  worker.stats.set('openConnections', 12)
  worker.stats.set('hubMembers', 11)
  worker.stats.set('hubHeldBytes', 10)
  worker.stats.set('poolRunning', 9)
  worker.stats.set('poolQueued', 8)
  const now = snapshotOf({ threads: [worker], retired, published: 9 })
  const { lanes, ...point } = pointOf(7, 1000.5, 2, before, now)
  deepEqual(point, {
    number: 7,
    time: 1000.5,
    openConnections: 12,
    members: 11,
    published: 2,
    delivered: 100,
    skipped: 3,
    slowClosed: 1,
    heldBytes: 10,
    poolRunning: 9,
    poolQueued: 8,
    compressionRatio: 0.25,
    utilisations: [[1, 0.25]]
  })
  deepEqual([lanes.fast.requests, lanes.main.requests], [20, 2])
  ok(lanes.fast.p99! > 0.000_05 && lanes.fast.p99! <= 0.000_1)
  ok(lanes.main.p50! > 0.005 && lanes.main.p50! <= 0.01)
})

test('a point has no latency where there was no request, and no rate below 0 where a worker has just gone', () => {
  const worker = fakeWorker(1)
  worker.stats.countRequests('fast', 200, 0.000_1, 1000)
  const { lanes, compressionRatio } = pointOf(
    1,
    0,
    1,
    snapshotOf({ threads: [worker] }),
    snapshotOf({ threads: [] })
  )
  deepEqual(lanes.fast, { requests: 0, p50: null, p99: null })
  equal(compressionRatio, null)
})

test('a quantile lies within its bucket, in the part that it has of it', () => {
  const counts = [0, 0, 100, ...LATENCY_BOUNDS.slice(3).map(() => 0), 0]
  ok(Math.abs(quantileOf(counts, 0.5)! - 0.000_175) < 1e-12)
  ok(Math.abs(quantileOf(counts, 1)! - 0.000_25) < 1e-12)
})

test('a quantile above the last bound is that bound, and there is none of nothing', () => {
  const none = LATENCY_BOUNDS.map(() => 0)
  equal(quantileOf([...none, 3], 0.5), 10)
  equal(quantileOf([...none, 0], 0.5), null)
})
