import type { Histogram } from '../../core/broadcast/histogram.ts'
import { BATCH_BOUNDS, LAG_BOUNDS } from '../../core/broadcast/totals.ts'

/** The lanes that requests are counted by. */
export const LANES = ['fast', 'main'] as const
export type Lane = (typeof LANES)[number]

/** The first digits of the statuses that requests are counted by. */
export const STATUS_CLASSES = [1, 2, 3, 4, 5] as const

/** Upper bounds, themselves included, of the latency histograms, in seconds; a last bucket takes what is longer. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
  10
]

/** Counted from the start of a worker on; the totals of ended workers are kept by the primary. */
export const COUNTERS = [
  'connections',
  'connectionsRefused',
  'connectionsTimedOut',
  'upgrades',
  'poolRequests',
  'poolRejected',
  'poolThreadsDied',
  'hubDelivered',
  'hubSkipped',
  'hubSlowClosed',
  /** Of frames that were handed to sockets. */
  'hubBytes',
  /** Of what the hub tried to compress, once for all who share it. */
  'hubBytesBefore',
  'hubBytesAfter'
] as const
export type Counter = (typeof COUNTERS)[number]

/** The state of a worker at this moment. */
export const GAUGES = [
  /** When the loop last turned, in milliseconds since 1970. */
  'heartbeat',
  'openConnections',
  'openRequests',
  'heapUsed',
  'heapTotal',
  'external',
  /** Of the last interval between two heartbeats, in seconds. */
  'loopDelayMean',
  'loopDelayP99',
  'loopDelayMax',
  'poolThreads',
  'poolRunning',
  'poolQueued',
  /** The mean over the threads of the pool, from 0 to 1. */
  'poolUtilisation',
  /** Heap of the pool threads, in bytes. */
  'poolHeapUsed',
  'hubMembers',
  'hubSubscriptions',
  /** Held back for slow clients, in bytes of frames; frames that several of them wait for count for each. */
  'hubHeldBytes',
  /** Of the oldest message that waits for its fan-out, in seconds. */
  'hubQueueAge',
  /** Of the oldest message that is held back for a slow client, in seconds. */
  'hubHeldAge'
] as const
export type Gauge = (typeof GAUGES)[number]

const HISTOGRAM_CELLS = LATENCY_BOUNDS.length + 2
const COUNTER_AT = 0
const GAUGE_AT = COUNTER_AT + COUNTERS.length
const STATUS_AT = GAUGE_AT + GAUGES.length
const LATENCY_AT = STATUS_AT + LANES.length * STATUS_CLASSES.length
const POOL_WAIT_AT = LATENCY_AT + LANES.length * HISTOGRAM_CELLS
const HUB_BATCHES_AT = POOL_WAIT_AT + HISTOGRAM_CELLS
const HUB_LAGS_AT = HUB_BATCHES_AT + BATCH_BOUNDS.length + 2
const CELLS = HUB_LAGS_AT + LAG_BOUNDS.length + 2

/** A histogram as it was read: one count for each bound and one for what is above all of them, and the sum. */
export interface HistogramReading {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
}

/**
 * What one worker counts, in memory that it shares with the primary: the worker writes without telling anybody, and the
 * primary reads without asking, even when the worker is stuck or gone.
 */
export class Stats {
  readonly buffer: SharedArrayBuffer
  /** Aligned 64-bit cells are read and written whole on every platform that Node runs on. */
  readonly #cells: Float64Array

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(CELLS * Float64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#cells = new Float64Array(buffer)
  }

  /** Counts requests of one lane that were answered with one status in the same time. */
  countRequests(lane: Lane, status: number, seconds: number, requests: number): void {
    this.countStatus(lane, status, requests)
    this.countLatency(lane, seconds, requests)
  }

  /** Counts requests of one lane that were answered with one status. */
  countStatus(lane: Lane, status: number, requests: number): void {
    const offset = lane === 'fast' ? 0 : 1
    const statusClass = Math.min(Math.max(Math.trunc(status / 100), 1), STATUS_CLASSES.length) - 1
    this.#cells[STATUS_AT + offset * STATUS_CLASSES.length + statusClass]! += requests
  }

  /** Counts requests of one lane that took the same time. */
  countLatency(lane: Lane, seconds: number, requests: number): void {
    this.#observe(LATENCY_AT + (lane === 'fast' ? 0 : 1) * HISTOGRAM_CELLS, seconds, requests)
  }

  /** Counts a request that left the pool's queue after it had waited so long. */
  countPoolWait(seconds: number): void {
    this.#observe(POOL_WAIT_AT, seconds, 1)
  }

  /** Takes over what the hub has counted so far. */
  setHub(batches: Histogram, lags: Histogram): void {
    this.#cells.set([...batches.counts, batches.sum], HUB_BATCHES_AT)
    this.#cells.set([...lags.counts, lags.sum], HUB_LAGS_AT)
  }

  count(counter: Counter, by = 1): void {
    this.#cells[COUNTER_AT + COUNTERS.indexOf(counter)]! += by
  }

  set(gauge: Gauge, value: number): void {
    this.#cells[GAUGE_AT + GAUGES.indexOf(gauge)] = value
  }

  counter(counter: Counter): number {
    return this.#cells[COUNTER_AT + COUNTERS.indexOf(counter)]!
  }

  gauge(gauge: Gauge): number {
    return this.#cells[GAUGE_AT + GAUGES.indexOf(gauge)]!
  }

  /** @param statusClass from 1 (100 to 199) to 5 */
  requests(lane: Lane, statusClass: number): number {
    return this.#cells[STATUS_AT + LANES.indexOf(lane) * STATUS_CLASSES.length + statusClass - 1]!
  }

  latency(lane: Lane): HistogramReading {
    return this.#read(LATENCY_AT + LANES.indexOf(lane) * HISTOGRAM_CELLS, LATENCY_BOUNDS)
  }

  poolWait(): HistogramReading {
    return this.#read(POOL_WAIT_AT, LATENCY_BOUNDS)
  }

  /** In messages. */
  hubBatches(): HistogramReading {
    return this.#read(HUB_BATCHES_AT, BATCH_BOUNDS)
  }

  hubLags(): HistogramReading {
    return this.#read(HUB_LAGS_AT, LAG_BOUNDS)
  }

  /** Adds what another worker counted, gauges aside: that worker is gone. */
  addCounts(other: Stats): void {
    for (let cell = 0; cell < CELLS; cell++) {
      if (cell < GAUGE_AT || cell >= STATUS_AT) this.#cells[cell]! += other.#cells[cell]!
    }
  }

  #observe(start: number, seconds: number, times: number): void {
    let bucket = 0
    while (bucket < LATENCY_BOUNDS.length && seconds > LATENCY_BOUNDS[bucket]!) bucket++
    this.#cells[start + bucket]! += times
    this.#cells[start + HISTOGRAM_CELLS - 1]! += seconds * times
  }

  #read(start: number, bounds: readonly number[]): HistogramReading {
    const cells = this.#cells.subarray(start, start + bounds.length + 2)
    return { bounds, counts: [...cells.subarray(0, -1)], sum: cells.at(-1)! }
  }
}
