import { setTimeout as sleep } from 'node:timers/promises'
import type { Comeback } from './comeback.ts'
import { checkConservation, publish } from './orders.ts'
import { MemoryPeak } from './memory-peak.ts'
import { measurePacedRequests, type PacedLoad } from './paced.ts'
import { stop } from './processes.ts'
import type { Sample } from './sample.ts'
import type { RunningServer } from './server.ts'
import type { Finish, Mark } from './subscriber-client.ts'
import { type Audience, Subscribers } from './subscribers.ts'

/** Subscribers that all lose their connections, and come back for what is published meanwhile and after. */
export interface RecoveryLoad extends Audience {
  /** Messages a second, from before they leave until after the last one is back. */
  rate: number
  awaySeconds: number
  /** Over which they come back. */
  returnSeconds: number
  /** Asked for meanwhile. */
  requests: Omit<PacedLoad, 'seconds'>
}

const SECONDS_TO_SETTLE = 2
const SECONDS_BEFORE = 1
/** Publishing goes on for so long behind the last one's coming. */
const SECONDS_BEHIND = 5

export async function measureRecovery(server: RunningServer, load: RecoveryLoad): Promise<Sample> {
  const { awaySeconds, returnSeconds, channels, rate } = load
  const subscribers = await Subscribers.open(server.port, load)
  try {
    await sleep(SECONDS_TO_SETTLE * 1000)
    const seconds = SECONDS_BEFORE + awaySeconds + returnSeconds + SECONDS_BEHIND
    const published = publish(server, { seconds, rate, channels, turn: 1 })
    const [rounds, sample] = await Promise.all([published, leaveAndComeBack(server, load, subscribers)])
    const finish = await subscribers.ask<Finish>({ finish: rounds })
    checkConservation(finish)
    const { skipped, owed } = finish.atLast
    if (skipped > 0) throw new Error(`${skipped} of ${owed} messages were lost to those who came back`)
    return sample
  } finally {
    await stop(subscribers.process)
  }
}

async function leaveAndComeBack(
  server: RunningServer,
  { awaySeconds, returnSeconds, atATime, requests, subscribers: count }: RecoveryLoad,
  subscribers: Subscribers
): Promise<Sample> {
  await sleep(SECONDS_BEFORE * 1000)
  const memory = new MemoryPeak(server.pid)
  const away = sleep(awaySeconds * 1000)
  await subscribers.ask('leave')
  await away
  const begin = await subscribers.ask<Mark>({ begin: server.pid })
  const back = subscribers.ask<Comeback>({ comeBack: { seconds: returnSeconds, atATime } })
  const marked = back.then(() => subscribers.ask<Mark>({ end: server.pid }))
  const asked = measurePacedRequests(server, subscribers, { ...requests, seconds: returnSeconds })
  const [{ seconds, p50, p99, recovered }, end, http] = await Promise.all([back, marked, asked])
  const peak = memory.stop()
  const user = end.server.user - begin.server.user
  const system = end.server.system - begin.server.system
  const elapsed = end.seconds - begin.seconds
  return {
    figures: {
      seconds,
      p50,
      p99,
      recovered: recovered / count,
      ...http,
      memoryBefore: memory.before / 1e6,
      memoryAbove: (peak - memory.before) / 1e6,
      cpuSeconds: user + system,
      cpuUserSeconds: user,
      cpuSystemSeconds: system,
      used: (user + system) / elapsed,
      client: (end.client - begin.client) / elapsed
    },
    warnings:
      seconds > returnSeconds + SECONDS_BEHIND ? ['publishing had ended before the last one was level'] : []
  }
}
