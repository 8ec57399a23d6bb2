import { setTimeout as sleep } from 'node:timers/promises'
import { orderQuery, PUBLISH_PATH } from '../broadcast/publisher.ts'
import { AskedProcess } from '../harness/asked-process.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import type { CrowdMark, CrowdQuestion } from '../harness/delivery-crowd.ts'
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

/** The server goes on publishing for a while behind the window, so that the whole window is under load. */
const SECONDS_BEHIND = 1
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
    let published = await publishChecked(server, clients, load, 0)
    await crowd.ask({ read: false })
    const { warmUpSeconds, seconds } = load
    const all = publish(server, load, mode.rate(load.bytes), warmUpSeconds + seconds + SECONDS_BEHIND)
    const [rounds, sample] = await Promise.all([all, watch(server, clients, load)])
    published += rounds
    await reader.ask({ last: published - 1 })
    await crowd.ask({ read: true })
    await publishChecked(server, clients, load, published)
    return sample
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

async function watch(
  { pid }: RunningServer,
  { crowd, reader }: Clients,
  { subscribers, seconds, warmUpSeconds }: DeliveryLoad
): Promise<Sample> {
  const mark = async () => ({
    reader: await reader.ask<ReaderMark>({ mark: pid }),
    crowd: await crowd.ask<CrowdMark>('bytes')
  })
  await sleep(warmUpSeconds * 1000)
  const begin = await mark()
  await sleep(seconds * 1000)
  const latencies = await reader.ask<Record<string, number>>('latencies')
  const end = await mark()
  const messages = end.reader.messages - begin.reader.messages
  const time = end.reader.seconds - begin.reader.seconds
  const sample = sampleOf({
    requests: messages * subscribers,
    seconds: time,
    server: {
      user: end.reader.server.user - begin.reader.server.user,
      system: end.reader.server.system - begin.reader.server.system
    },
    core: end.reader.core - begin.reader.core
  })
  const { busy: used = 0, ...figures } = sample.figures
  const bytesPerSecond = (end.crowd.bytes - begin.crowd.bytes) / (end.crowd.seconds - begin.crowd.seconds)
  const clientCpu = (end.reader.cpu - begin.reader.cpu) / messages
  return {
    figures: {
      ...figures,
      ...latencies,
      used,
      published: messages / time,
      bytes: bytesPerSecond / ((messages / time) * (subscribers - 1)),
      perEvent: messages / (end.reader.events - begin.reader.events),
      clientCpu: clientCpu * 1e6,
      handled: 1 / clientCpu
    },
    warnings: sample.warnings
  }
}
