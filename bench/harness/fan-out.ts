import { setTimeout as sleep } from 'node:timers/promises'
import { type CpuTime, readCpu } from './cpu.ts'
import { checkConservation, publish } from './orders.ts'
import { stop } from './processes.ts'
import { type Sample, sampleOf } from './sample.ts'
import type { RunningServer } from './server.ts'
import type { Finish, Mark } from './subscriber-client.ts'
import { type Audience, Subscribers } from './subscribers.ts'

/** Messages that the server publishes to the subscribers that a client process holds. */
export interface FanOutLoad extends Audience {
  /** Messages a second on each channel; null for as many as backpressure allows. */
  rate: number | null
  /** Messages before the server's event loop has its turn, where backpressure allows as many. */
  turn: number
  warmUpSeconds: number
  seconds: number
}

// The server goes on publishing for a while behind the window, so that the whole window is under load.
const SECONDS_BEHIND = 1

// A server may still be busy with the last handshakes when the client has seen their answers.
const SECONDS_TO_SUBSCRIBE = 0.5

// More than that at the end were not delivered in the time in which they were published.
const MUCH_IN_FLIGHT = 0.05

/** Something else that is done to the server. */
export type Beside = (subscribers: Subscribers) => Promise<Record<string, number>>

/**
 * `beside` runs while the window is measured, and its figures are added.
 *
 * @param publisher who publishes, where it is not the server itself
 */
export async function measureFanOut(
  server: RunningServer,
  load: FanOutLoad,
  beside: Beside = async () => ({}),
  publisher: RunningServer = server
): Promise<Sample> {
  const subscribers = await Subscribers.open(server.port, load)
  try {
    await sleep(SECONDS_TO_SUBSCRIBE * 1000)
    const before = readCpu(server.pid)
    const seconds = load.warmUpSeconds + load.seconds + SECONDS_BEHIND
    const published = publish(publisher, { ...load, seconds })
    const watched = watch(server, load, subscribers, beside)
    const [rounds, { begin, end, figures }] = await Promise.all([published, watched])
    const finish = await subscribers.ask<Finish>({ finish: rounds })
    const whole = perDelivery(before, readCpu(server.pid), finish)
    checkConservation(finish)
    const sample = toSample(begin, end, finish, load)
    return { ...sample, figures: { ...sample.figures, ...whole, ...figures } }
  } finally {
    await stop(subscribers.process)
  }
}

/**
 * CPU µs from the first message to the arrival of the last one. What had been sent before the window and is received in it
 * distorts the window's own figure where others use the server's core; this one it does not.
 */
function perDelivery(before: CpuTime, after: CpuTime, { atLast }: Finish): Record<string, number> {
  const user = ((after.user - before.user) / atLast.delivered) * 1e6
  const system = ((after.system - before.system) / atLast.delivered) * 1e6
  return { wholeCpu: user + system, wholeUser: user, wholeSystem: system }
}

interface Watched {
  begin: Mark
  end: Mark
  figures: Record<string, number>
}

async function watch(
  server: RunningServer,
  load: FanOutLoad,
  subscribers: Subscribers,
  beside: Beside
): Promise<Watched> {
  await sleep(load.warmUpSeconds * 1000)
  const begin = await subscribers.ask<Mark>({ begin: server.pid })
  const [end, figures] = await Promise.all([
    // What is done beside may take longer to be answered; the window ends while messages are published.
    sleep(load.seconds * 1000).then(() => subscribers.ask<Mark>({ end: server.pid })),
    beside(subscribers)
  ])
  return { begin, end, figures }
}

function toSample(
  begin: Mark,
  end: Mark,
  { account, atLast, figures: observed }: Finish,
  load: FanOutLoad
): Sample {
  const seconds = end.seconds - begin.seconds
  const sample = sampleOf({
    requests: end.delivered - begin.delivered,
    seconds,
    server: {
      user: end.server.user - begin.server.user,
      system: end.server.system - begin.server.system
    },
    core: end.core - begin.core
  })
  // At a fixed rate no server has to be saturated.
  const { busy = 0, ...figures } = sample.figures
  const usage = load.rate === null ? { busy } : { used: busy }
  const { owed, skipped, inFlight } = account
  return {
    figures: {
      ...figures,
      ...usage,
      ...observed,
      perCpuSecond: 1e6 / (figures['cpu'] ?? 0),
      client: (end.client - begin.client) / seconds,
      owed,
      share: atLast.delivered / owed,
      skipped,
      inFlight
    },
    // The last round of a fixed rate has just been published when publishing ends.
    warnings: [...sample.warnings, ...(load.rate === null ? warnOfFlight(inFlight / owed) : [])]
  }
}

function warnOfFlight(share: number): string[] {
  return share > MUCH_IN_FLIGHT
    ? [`${Math.round(share * 100)} % of the deliveries were in flight when publishing ended`]
    : []
}
