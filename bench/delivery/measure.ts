import { orderQuery, PUBLISH_PATH } from '../broadcast/publisher.ts'
import { AskedProcess } from '../harness/asked-process.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import type { CrowdQuestion } from '../harness/delivery-crowd.ts'
import type { ReaderMark, ReaderQuestion } from '../harness/delivery-reader.ts'
import { type Sample, sampleOf } from '../harness/sample.ts'
import type { RunningServer } from '../harness/server.ts'
import type { Mode } from './modes.ts'

export interface DeliveryLoad {
  readonly subscribers: number
  /** Of the JSON that is published. */
  readonly bytes: number
  readonly warmUpSeconds: number
  readonly seconds: number
}

/** Before and behind the load every client reads and checks these. */
const CHECKED = { rate: 20, seconds: 0.5 }

interface Clients {
  readonly crowd: AskedProcess<CrowdQuestion>
  readonly reader: AskedProcess<ReaderQuestion>
}

/** Publishes to many subscribers and one that is a real client, and asserts that they get everything. */
export async function measureDelivery(
  server: RunningServer,
  mode: Mode,
  load: DeliveryLoad
): Promise<Sample> {
  const crowd = await AskedProcess.start<CrowdQuestion>(crowdCommand(server.port, mode, load), LOAD_CORE)
  const reader = await AskedProcess.start<ReaderQuestion>(readerCommand(server.port, mode), LOAD_CORE)
  const clients = { crowd, reader }
  try {
    const checked = await publishChecked(server, clients, load, 0)
    const warm = await publishLoad(server, mode, clients, load, load.warmUpSeconds, checked)
    const begin = await mark(server, clients)
    const published = await publishLoad(server, mode, clients, load, load.seconds, warm)
    const latencies = await reader.ask<Record<string, number>>('latencies')
    const end = await mark(server, clients)
    return toSample(begin, end, latencies, published - warm, load)
  } finally {
    await Promise.all([crowd.stop(), reader.stop()])
  }
}

export function crowdCommand(
  port: number | string,
  mode: Mode,
  { subscribers, bytes }: DeliveryLoad
): string[] {
  const offer = mode.isCompressed ? 'permessage-deflate; server_no_context_takeover' : ''
  const what = [port, mode.path, subscribers - 1, offer, bytes].map(String)
  return ['node', 'bench/harness/delivery-crowd.ts', ...what]
}

function readerCommand(port: number, mode: Mode): string[] {
  return ['node', 'bench/harness/delivery-reader.ts', String(port), mode.path]
}

/**
 * So many seconds of load, until everybody has everything.
 *
 * @returns how many were published so far
 */
async function publishLoad(
  server: RunningServer,
  mode: Mode,
  clients: Clients,
  load: DeliveryLoad,
  seconds: number,
  before: number
): Promise<number> {
  await clients.crowd.ask({ read: false })
  const published = before + (await publish(server, load, mode.rate(load.bytes), seconds))
  await clients.reader.ask({ last: published - 1 })
  await clients.crowd.ask({ read: true })
  return publishChecked(server, clients, load, published)
}

/** @returns how many were published so far */
async function publishChecked(
  server: RunningServer,
  { crowd, reader }: Clients,
  load: DeliveryLoad,
  before: number
): Promise<number> {
  const published = before + (await publish(server, load, CHECKED.rate, CHECKED.seconds))
  await Promise.all([crowd.ask({ last: published - 1 }), reader.ask({ last: published - 1 })])
  return published
}

async function publish(
  { port }: RunningServer,
  { bytes }: DeliveryLoad,
  rate: number,
  seconds: number
): Promise<number> {
  const query = `${orderQuery({ rate, seconds, channels: 1, turn: 1 })}&bytes=${bytes}`
  const response = await fetch(`http://127.0.0.1:${port}${PUBLISH_PATH}${query}`, { method: 'POST' })
  const text = await response.text()
  if (!response.ok) throw new Error(`The order to publish was answered with ${response.status} ${text}`)
  return Number(text)
}

interface Mark {
  readonly reader: ReaderMark
  /** That the crowd has read. */
  readonly bytes: number
}

/** Everything that was published has arrived by then. */
async function mark({ pid }: RunningServer, { crowd, reader }: Clients): Promise<Mark> {
  return { reader: await reader.ask<ReaderMark>({ mark: pid }), bytes: await crowd.ask<number>('bytes') }
}

function toSample(
  begin: Mark,
  end: Mark,
  latencies: Readonly<Record<string, number>>,
  messages: number,
  { subscribers }: DeliveryLoad
): Sample {
  const [from, to] = [begin.reader, end.reader]
  const seconds = to.seconds - from.seconds
  const sample = sampleOf({
    requests: messages * subscribers,
    seconds,
    server: { user: to.server.user - from.server.user, system: to.server.system - from.server.system },
    core: to.core - from.core
  })
  const { busy: used = 0, ...figures } = sample.figures
  const clientCpu = (to.cpu - from.cpu) / messages
  return {
    figures: {
      ...figures,
      ...latencies,
      used,
      published: messages / seconds,
      bytes: (end.bytes - begin.bytes) / (messages * (subscribers - 1)),
      perEvent: messages / (to.events - from.events),
      clientCpu: clientCpu * 1e6,
      handled: 1 / clientCpu
    },
    warnings: sample.warnings
  }
}
