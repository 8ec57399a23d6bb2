import type { ChannelTraffic } from '../../core/broadcast/channel-traffic.ts'
import type { Runtime } from '../../core/settings.ts'
import { LANES, STATUS_CLASSES } from '../metrics/stats.ts'
import type { Lane, Stats } from '../metrics/stats.ts'
import { packageVersion } from '../package-version.ts'
import type { BrokerView, ServerState, WorkerView } from '../server-view.ts'
import { mostOf, poolUtilisationOf, sumOf } from './census.ts'
import type { Snapshot } from './census.ts'

const version = packageVersion()

/** The answer of `/status`. docs/METRICS.md shows an example; a test holds the two together. */
export interface Status {
  readonly version: string
  readonly pid: number
  /** Seconds. */
  readonly uptime: number
  readonly state: ServerState
  readonly address: string
  readonly app: string
  readonly runtime: Runtime
  readonly cores: number
  readonly reloads: number
  /** Null without one. */
  readonly broker: BrokerView | null
  readonly totals: Counts & { readonly restarts: number; readonly published: number }
  /** Those with the most deliveries, at most 20. */
  readonly channels: readonly ChannelTraffic[]
  /** One for each thread: during a reload, or while an old one drains, two can have the same number. */
  readonly workers: readonly WorkerStatus[]
}

interface WorkerStatus extends Counts {
  readonly number: number
  readonly threadId: number
  readonly state: WorkerView['state']
  /** ISO 8601. */
  readonly startedAt: string
  readonly restarts: number
  readonly lastFailure: string | null
  readonly utilisation: number
  /** Seconds. */
  readonly loopDelay: { readonly mean: number; readonly p99: number; readonly max: number }
  /** Bytes. */
  readonly memory: { readonly heapUsed: number; readonly heapTotal: number; readonly external: number }
}

/** What is the same for one worker and for all. */
interface Counts {
  readonly requests: Readonly<Record<Lane, RequestCounts>>
  readonly openRequests: number
  readonly connections: number
  readonly connectionsRefused: number
  readonly connectionsTimedOut: number
  readonly upgrades: number
  readonly openConnections: number
  readonly hub: HubStatus
  /** Null in the runtime that has no pool. */
  readonly pool: PoolStatus | null
}

/** By status class, from `1xx` to `5xx`. */
type RequestCounts = Readonly<Record<string, number>>

interface HubStatus {
  readonly members: number
  readonly subscriptions: number
  readonly delivered: number
  readonly skipped: number
  readonly slowClosed: number
  /** Bytes, here and below. */
  readonly heldBytes: number
  readonly bytes: number
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Seconds. */
  readonly heldAge: number
  readonly queueAge: number
}

interface PoolStatus {
  readonly threads: number
  readonly running: number
  readonly queued: number
  readonly utilisation: number
  /** Bytes. */
  readonly heapUsed: number
  readonly requests: number
  readonly rejected: number
  readonly threadsDied: number
}

export function statusOf({ view, threads, counts, restarts }: Snapshot): Status {
  const { startedAt, state, address, app, runtime, cores, reloads, broker, published, traffic } = view
  return {
    version,
    pid: process.pid,
    uptime: (Date.now() - startedAt) / 1000,
    state,
    address,
    app,
    runtime,
    cores,
    reloads,
    broker,
    totals: {
      restarts: [...restarts.values()].reduce((sum, each) => sum + each, 0),
      published,
      ...countsOf(counts, threads, runtime)
    },
    channels: traffic,
    workers: threads.map((thread) => workerStatus(thread, runtime))
  }
}

function workerStatus(thread: WorkerView, runtime: Runtime): WorkerStatus {
  const { number, threadId, state, startedAt, restarts, lastFailure, utilisation, stats } = thread
  return {
    number,
    threadId,
    state,
    startedAt: new Date(startedAt).toISOString(),
    restarts,
    lastFailure,
    utilisation,
    loopDelay: {
      mean: stats.gauge('loopDelayMean'),
      p99: stats.gauge('loopDelayP99'),
      max: stats.gauge('loopDelayMax')
    },
    memory: {
      heapUsed: stats.gauge('heapUsed'),
      heapTotal: stats.gauge('heapTotal'),
      external: stats.gauge('external')
    },
    ...countsOf(stats, [thread], runtime)
  }
}

function countsOf(counts: Stats, threads: readonly WorkerView[], runtime: Runtime): Counts {
  return {
    requests: requestsOf(counts),
    openRequests: sumOf('openRequests', threads),
    connections: counts.counter('connections'),
    connectionsRefused: counts.counter('connectionsRefused'),
    connectionsTimedOut: counts.counter('connectionsTimedOut'),
    upgrades: counts.counter('upgrades'),
    openConnections: sumOf('openConnections', threads),
    hub: hubOf(counts, threads),
    pool: runtime === 'multithread' ? poolOf(counts, threads) : null
  }
}

function hubOf(counts: Stats, threads: readonly WorkerView[]): HubStatus {
  return {
    members: sumOf('hubMembers', threads),
    subscriptions: sumOf('hubSubscriptions', threads),
    delivered: counts.counter('hubDelivered'),
    skipped: counts.counter('hubSkipped'),
    slowClosed: counts.counter('hubSlowClosed'),
    heldBytes: sumOf('hubHeldBytes', threads),
    bytes: counts.counter('hubBytes'),
    bytesBefore: counts.counter('hubBytesBefore'),
    bytesAfter: counts.counter('hubBytesAfter'),
    heldAge: mostOf('hubHeldAge', threads),
    queueAge: mostOf('hubQueueAge', threads)
  }
}

function requestsOf(counts: Stats): Record<Lane, RequestCounts> {
  const lanes = LANES.map((lane) => {
    const classes = STATUS_CLASSES.map((each) => [`${each}xx`, counts.requests(lane, each)] as const)
    return [lane, Object.fromEntries(classes)] as const
  })
  return Object.fromEntries(lanes) as Record<Lane, RequestCounts>
}

function poolOf(counts: Stats, threads: readonly WorkerView[]): PoolStatus {
  return {
    threads: sumOf('poolThreads', threads),
    running: sumOf('poolRunning', threads),
    queued: sumOf('poolQueued', threads),
    utilisation: poolUtilisationOf(threads),
    heapUsed: sumOf('poolHeapUsed', threads),
    requests: counts.counter('poolRequests'),
    rejected: counts.counter('poolRejected'),
    threadsDied: counts.counter('poolThreadsDied')
  }
}
