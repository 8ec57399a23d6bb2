import { LANES, LATENCY_BOUNDS, STATUS_CLASSES } from '../metrics/stats.ts'
import type { Lane, Stats } from '../metrics/stats.ts'
import { sumOf } from './census.ts'
import type { Snapshot } from './census.ts'

/** One point of each chart: what happened from one snapshot to the next. */
export interface Point {
  /** Counts from 1 on. */
  readonly number: number
  /** Seconds since 1970. */
  readonly time: number
  readonly lanes: Readonly<Record<Lane, LanePoint>>
  readonly openConnections: number
  readonly members: number
  /** Messages per second, as `delivered` and `skipped` are. */
  readonly published: number
  readonly delivered: number
  readonly skipped: number
  /** Connections that were closed because they read too slowly, per second. */
  readonly slowClosed: number
  /** Bytes. */
  readonly heldBytes: number
  readonly poolRunning: number
  readonly poolQueued: number
  /** Bytes after compression per byte before, of what it was tried on; null where that was nothing. */
  readonly compressionRatio: number | null
  /** The numbers of the workers that serve, and how busy each is, from 0 to 1. */
  readonly utilisations: readonly (readonly [worker: number, utilisation: number])[]
}

export interface LanePoint {
  /** Per second. */
  readonly requests: number
  /** Seconds; null when there was no request. */
  readonly p50: number | null
  readonly p99: number | null
}

export function pointOf(
  number: number,
  time: number,
  seconds: number,
  before: Snapshot,
  now: Snapshot
): Point {
  // A worker that ends just now may be missing from the sum for a moment.
  const rate = (read: (snapshot: Snapshot) => number): number =>
    Math.max(0, (read(now) - read(before)) / seconds)
  return {
    number,
    time,
    lanes: Object.fromEntries(
      LANES.map((lane) => [
        lane,
        { requests: rate(({ counts }) => requestsOf(counts, lane)), ...latencyOf(lane, before, now) }
      ])
    ) as Record<Lane, LanePoint>,
    openConnections: sumOf('openConnections', now.threads),
    members: sumOf('hubMembers', now.threads),
    published: rate(({ published }) => published),
    delivered: rate(({ counts }) => counts.counter('hubDelivered')),
    skipped: rate(({ counts }) => counts.counter('hubSkipped')),
    slowClosed: rate(({ counts }) => counts.counter('hubSlowClosed')),
    heldBytes: sumOf('hubHeldBytes', now.threads),
    poolRunning: sumOf('poolRunning', now.threads),
    poolQueued: sumOf('poolQueued', now.threads),
    compressionRatio: compressionRatioOf(before.counts, now.counts),
    utilisations: now.serving.map(({ number, utilisation }) => [number, utilisation] as const)
  }
}

/**
 * The value below which a share of what was counted lies, as far as a histogram tells: within a bucket evenly, and above the
 * last bound that bound. Null when nothing was counted.
 *
 * @param counts one for each bound and one for what is longer
 */
export function quantileOf(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total <= 0) return null
  let left = share * total
  for (const [index, bound] of LATENCY_BOUNDS.entries()) {
    const count = counts[index]!
    const lower = LATENCY_BOUNDS[index - 1] ?? 0
    if (count > 0 && left <= count) return lower + (bound - lower) * (left / count)
    left -= count
  }
  return LATENCY_BOUNDS.at(-1)!
}

function compressionRatioOf(before: Stats, now: Stats): number | null {
  const added = (name: 'hubBytesBefore' | 'hubBytesAfter'): number => now.counter(name) - before.counter(name)
  return added('hubBytesBefore') > 0 ? added('hubBytesAfter') / added('hubBytesBefore') : null
}

function requestsOf(counts: Stats, lane: Lane): number {
  return STATUS_CLASSES.reduce((sum, statusClass) => sum + counts.requests(lane, statusClass), 0)
}

function latencyOf(lane: Lane, before: Snapshot, now: Snapshot): Pick<LanePoint, 'p50' | 'p99'> {
  const then = before.counts.latency(lane).counts
  const counts = now.counts.latency(lane).counts.map((count, index) => Math.max(0, count - then[index]!))
  return { p50: quantileOf(counts, 0.5), p99: quantileOf(counts, 0.99) }
}
