import { Registry } from 'prom-client'
import type { Metric } from 'prom-client'
import { LANES, STATUS_CLASSES } from '../metrics/stats.ts'
import type { HistogramReading, Stats } from '../metrics/stats.ts'
import type { WorkerView } from '../server-view.ts'
import { mostOf, poolUtilisationOf, sumOf } from './census.ts'
import type { Snapshot } from './census.ts'
import { readProcessFigures } from './process-figures.ts'
import type { ProcessFigures } from './process-figures.ts'

// docs/METRICS.md has a row for each family; a test holds the two together.

/** The samples of one name, as a registry of prom-client takes them. */
interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly values: readonly Sample[]
}

interface Sample {
  readonly labels: Labels
  readonly value: number
  /** Where it is not that of the family. */
  readonly metricName?: string
}

type Labels = Readonly<Record<string, string>>

const STATES: readonly WorkerView['state'][] = ['starting', 'ready', 'stuck', 'draining']

/** Everything that was counted, in a registry of its own: made when it is asked for, so that nothing runs in between. */
export async function metricsOf(snapshot: Snapshot): Promise<Registry> {
  const registry = new Registry()
  const families = [
    ...requestFamilies(snapshot),
    ...connectionFamilies(snapshot),
    ...workerFamilies(snapshot),
    ...poolFamilies(snapshot),
    ...hubFamilies(snapshot),
    ...brokerFamilies(snapshot),
    ...processFamilies(await readProcessFigures())
  ]
  for (const family of families) registry.registerMetric(metricOf(family))
  return registry
}

/**
 * A registry calls nothing but `get()`, while its type asks for one of prom-client's own classes, which count for themselves:
 * a histogram of theirs can't be given counts.
 */
function metricOf(family: Family): Metric {
  return { ...family, get: () => Promise.resolve(family) } as unknown as Metric
}

function requestFamilies({ counts, threads }: Snapshot): Family[] {
  const requests = LANES.flatMap((lane) =>
    STATUS_CLASSES.map((statusClass) => ({
      labels: { lane, status_class: `${statusClass}xx` },
      value: counts.requests(lane, statusClass)
    }))
  )
  const latencies = LANES.map((lane) => ({ labels: { lane }, reading: counts.latency(lane) }))
  return [
    counter('scherzo_requests_total', 'Requests that were answered.', requests),
    histogram('scherzo_request_duration_seconds', 'Time from a request to the end of its answer.', latencies),
    gauge(
      'scherzo_open_requests',
      'Requests of the main lane that are being answered.',
      sumOf('openRequests', threads)
    )
  ]
}

function connectionFamilies({ counts, threads }: Snapshot): Family[] {
  return [
    counter('scherzo_connections_total', 'Connections that were accepted.', counts.counter('connections')),
    counter(
      'scherzo_connections_refused_total',
      'Connections that were closed at once, because the worker had as many as it may have.',
      counts.counter('connectionsRefused')
    ),
    counter(
      'scherzo_connections_timed_out_total',
      'Connections that were cut because a request took too long to arrive.',
      counts.counter('connectionsTimedOut')
    ),
    counter(
      'scherzo_upgrades_total',
      'Connections that left HTTP by an upgrade or a CONNECT.',
      counts.counter('upgrades')
    ),
    gauge('scherzo_open_connections', 'Connections that are open.', sumOf('openConnections', threads))
  ]
}

function workerFamilies({ view, threads, serving, restarts }: Snapshot): Family[] {
  const states = STATES.map((state) => ({
    labels: { state },
    value: threads.filter((thread) => thread.state === state).length
  }))
  const restartSamples = [...restarts].map(([number, value]) => ({ labels: workerLabel(number), value }))
  const utilisations = serving.map(({ number, utilisation }) => ({
    labels: workerLabel(number),
    value: utilisation
  }))
  const perWorker = (read: (stats: Stats) => number): Sample[] =>
    serving.map(({ number, stats }) => ({ labels: workerLabel(number), value: read(stats) }))
  return [
    gauge('scherzo_workers', 'Worker threads in each state.', states),
    counter(
      'scherzo_worker_restarts_total',
      'How often a worker was replaced because it had died.',
      restartSamples
    ),
    counter('scherzo_reloads_total', 'Reloads that succeeded.', view.reloads),
    gauge(
      'scherzo_event_loop_utilization',
      'How busy the event loop was in the last second, from 0 to 1.',
      utilisations
    ),
    gauge(
      'scherzo_event_loop_delay_mean_seconds',
      'How late the event loop was in the last half second, on average.',
      perWorker((stats) => stats.gauge('loopDelayMean'))
    ),
    gauge(
      'scherzo_event_loop_delay_p99_seconds',
      'How late the event loop was in the last half second, 99th percentile.',
      perWorker((stats) => stats.gauge('loopDelayP99'))
    ),
    gauge(
      'scherzo_event_loop_delay_max_seconds',
      'How late the event loop was in the last half second, at most.',
      perWorker((stats) => stats.gauge('loopDelayMax'))
    ),
    gauge(
      'scherzo_heap_used_bytes',
      'Memory in use on the JavaScript heap of the worker, without its pool threads.',
      perWorker((stats) => stats.gauge('heapUsed'))
    )
  ]
}

function poolFamilies({ counts, threads }: Snapshot): Family[] {
  const wait = [{ labels: {}, reading: counts.poolWait() }]
  return [
    gauge('scherzo_pool_threads', 'Pool threads of all workers.', sumOf('poolThreads', threads)),
    gauge('scherzo_pool_running', 'Requests that run on a pool thread.', sumOf('poolRunning', threads)),
    gauge('scherzo_pool_queued', 'Requests that wait for a pool thread.', sumOf('poolQueued', threads)),
    gauge(
      'scherzo_pool_utilization',
      'How busy the pool threads are, from 0 to 1, on average.',
      poolUtilisationOf(threads)
    ),
    gauge(
      'scherzo_pool_heap_used_bytes',
      'Memory in use on the JavaScript heaps of the pool threads.',
      sumOf('poolHeapUsed', threads)
    ),
    counter(
      'scherzo_pool_requests_total',
      'Requests that were given to a pool.',
      counts.counter('poolRequests')
    ),
    counter(
      'scherzo_pool_rejected_total',
      'Requests that were answered with 503 because the queue of the pool was full.',
      counts.counter('poolRejected')
    ),
    counter('scherzo_pool_threads_died_total', 'Pool threads that died.', counts.counter('poolThreadsDied')),
    histogram('scherzo_pool_wait_seconds', 'Time that requests waited for a pool thread.', wait)
  ]
}

function hubFamilies({ counts, published, threads, view }: Snapshot): Family[] {
  return [
    counter('scherzo_hub_published_total', 'Messages that were published, by any thread.', published),
    counter(
      'scherzo_hub_delivered_total',
      'Messages that were handed to the sockets of subscribers, once for each.',
      counts.counter('hubDelivered')
    ),
    counter(
      'scherzo_hub_skipped_total',
      'Messages that slow subscribers missed and were told so, once for each.',
      counts.counter('hubSkipped')
    ),
    counter(
      'scherzo_hub_slow_closed_total',
      'Connections that were closed because they read too slowly.',
      counts.counter('hubSlowClosed')
    ),
    gauge('scherzo_hub_members', 'Connections that take part in the hub.', sumOf('hubMembers', threads)),
    gauge(
      'scherzo_hub_subscriptions',
      'Subscriptions of connections to channels.',
      sumOf('hubSubscriptions', threads)
    ),
    gauge(
      'scherzo_hub_held_bytes',
      'What is held back for slow connections; a frame that several wait for counts for each.',
      sumOf('hubHeldBytes', threads)
    ),
    gauge(
      'scherzo_hub_presence_members',
      'Identities in channels with presence, once for each channel, those of other instances included.',
      view.present
    ),
    counter(
      'scherzo_hub_presence_changes_total',
      'Messages that told who joined and left.',
      view.presenceTold
    ),
    gauge(
      'scherzo_hub_held_age_seconds',
      'Age of the oldest message that is held back for a slow connection.',
      mostOf('hubHeldAge', threads)
    ),
    gauge(
      'scherzo_hub_queue_age_seconds',
      'Age of the oldest message that waits for its fan-out.',
      mostOf('hubQueueAge', threads)
    ),
    counter(
      'scherzo_hub_bytes_total',
      'Frames that were handed to the sockets of subscribers, in bytes on the wire.',
      counts.counter('hubBytes')
    ),
    counter(
      'scherzo_hub_compression_bytes_total',
      'What compression was tried on, once for all who share it.',
      [
        { labels: { side: 'before' }, value: counts.counter('hubBytesBefore') },
        { labels: { side: 'after' }, value: counts.counter('hubBytesAfter') }
      ]
    ),
    histogram('scherzo_hub_batch_messages', 'Messages in a batch, once for all who share it.', [
      { labels: {}, reading: counts.hubBatches() }
    ]),
    histogram('scherzo_hub_lag_seconds', 'Time from publishing to each hand-over to a subscriber.', [
      { labels: {}, reading: counts.hubLags() }
    ])
  ]
}

function brokerFamilies({ view: { broker } }: Snapshot): Family[] {
  if (broker === null) return []
  return [
    gauge('scherzo_broker_up', 'Whether the broker answers: 1 or 0.', broker.isReachable ? 1 : 0),
    gauge('scherzo_broker_pending', "Messages that wait for the broker's answer.", broker.pending),
    gauge('scherzo_broker_lag_seconds', 'How long the oldest of them has waited.', broker.lag / 1000),
    counter(
      'scherzo_broker_reconnects_total',
      'How often a connection to the broker was lost and came back.',
      broker.reconnects
    ),
    counter(
      'scherzo_broker_lost_total',
      'Messages that this instance should have had and that were gone, as its subscribers were told.',
      broker.lost
    ),
    gauge('scherzo_broker_channels', 'Channels that this instance has subscribed to.', broker.channels)
  ]
}

/** Under the names, and with the meaning, that every exporter gives them. */
function processFamilies(figures: ProcessFigures): Family[] {
  const { cpuUser, cpuSystem, residentMemory, startedAt, openDescriptors, maxDescriptors } = figures
  const families = [
    counter('process_cpu_user_seconds_total', 'CPU time of the process in user mode.', cpuUser),
    counter('process_cpu_system_seconds_total', 'CPU time of the process in the kernel.', cpuSystem),
    counter('process_cpu_seconds_total', 'CPU time of the process.', cpuUser + cpuSystem),
    gauge('process_resident_memory_bytes', 'Resident memory of the process.', residentMemory),
    gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', startedAt)
  ]
  if (openDescriptors !== null)
    families.push(gauge('process_open_fds', 'Open file descriptors. Linux only.', openDescriptors))
  if (maxDescriptors !== null)
    families.push(
      gauge('process_max_fds', 'How many file descriptors may be open. Linux only.', maxDescriptors)
    )
  return families
}

function counter(name: string, help: string, values: number | readonly Sample[]): Family {
  return { name, type: 'counter', help, values: samplesOf(values) }
}

function gauge(name: string, help: string, values: number | readonly Sample[]): Family {
  return { name, type: 'gauge', help, values: samplesOf(values) }
}

function samplesOf(values: number | readonly Sample[]): readonly Sample[] {
  return typeof values === 'number' ? [{ labels: {}, value: values }] : values
}

function histogram(
  name: string,
  help: string,
  series: readonly { readonly labels: Labels; readonly reading: HistogramReading }[]
): Family {
  const values = series.flatMap(({ labels, reading }) => histogramSamples(name, labels, reading))
  return { name, type: 'histogram', help, values }
}

/** Buckets are cumulative, and the last one is the count: both come from one reading. */
function histogramSamples(name: string, labels: Labels, { bounds, counts, sum }: HistogramReading): Sample[] {
  let total = 0
  const buckets = counts.map((count, index) => {
    total += count
    const bound = bounds[index]
    const le = bound === undefined ? '+Inf' : String(bound)
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total }
  ]
}

function workerLabel(number: number): Labels {
  return { worker: String(number) }
}
