import { setTimeout as sleep } from 'node:timers/promises'
import { LOAD_CORE } from '../harness/cores.ts'
import { type CpuTime, readCpu } from '../harness/cpu.ts'
import { type FanOutLoad, measureFanOut } from '../harness/fan-out.ts'
import { type Sample, figureOf } from '../harness/sample.ts'
import { type RunningServer, startServer } from '../harness/server.ts'
import { plaintextAnswer } from '../http/answers.ts'
import type { Site } from './sites.ts'

/** From an instance that publishes to the subscribers of another one, which is the server. */
export async function measureSite(site: Site, server: RunningServer, load: FanOutLoad): Promise<Sample> {
  const publisher = await startServer(site.publisher, [plaintextAnswer], LOAD_CORE)
  try {
    const processes = { publisher: publisher.pid, broker: site.running.pid }
    const watch = (): Promise<Record<string, number>> => cpuSeconds(processes, load.seconds)
    const sample = await measureFanOut(server, { ...load, protocol: site.protocol }, watch, publisher)
    refuseGaps(sample)
    return { ...sample, figures: { ...sample.figures, ...perMessage(sample, load) } }
  } finally {
    await publisher.stop()
  }
}

/** Of processes other than the server, in the same window. */
async function cpuSeconds(
  pids: Readonly<Record<string, number>>,
  seconds: number
): Promise<Record<string, number>> {
  const before = new Map(Object.entries(pids).map(([name, pid]) => [name, readCpu(pid)]))
  await sleep(seconds * 1000)
  return Object.fromEntries(
    [...before].map(([name, cpu]) => [`${name}Seconds`, total(readCpu(pids[name]!)) - total(cpu)])
  )
}

/** Backpressure reaches the publisher, so nothing has to be left out. */
function refuseGaps(sample: Sample): void {
  const skipped = figureOf(sample, 'skipped')
  if (skipped > 0) throw new Error(`${skipped} deliveries were left out`)
}

function perMessage(sample: Sample, { seconds, subscribers }: FanOutLoad): Record<string, number> {
  const rate = figureOf(sample, 'rate')
  const publisher = figureOf(sample, 'publisherSeconds')
  const broker = figureOf(sample, 'brokerSeconds')
  const deliveries = rate * seconds
  return {
    publishes: rate / subscribers,
    publisherCpu: (publisher / deliveries) * 1e6,
    brokerCpu: (broker / deliveries) * 1e6,
    serverPerPublish: figureOf(sample, 'cpu') * subscribers,
    publisherPerPublish: (publisher / deliveries) * 1e6 * subscribers,
    brokerPerPublish: (broker / deliveries) * 1e6 * subscribers,
    publisherBusy: publisher / seconds,
    brokerBusy: broker / seconds
  }
}

function total({ user, system }: CpuTime): number {
  return user + system
}
