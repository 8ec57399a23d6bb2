import { LOAD_CORE } from './cores.ts'
import { runPinned } from './processes.ts'
import type { RunningServer } from './server.ts'
import { quantile } from './statistics.ts'
import type { Subscribers } from './subscribers.ts'

/** Requests at a fixed rate, to see how long they wait for what the server does beside them. */
export interface PacedLoad {
  path: string
  body: string
  perSecond: number
  seconds: number
}

const SECONDS_TO_END = 30

/** The subscribers' process gives way on the core they share: the server's latency is asked for, not the client's. */
export async function measurePacedRequests(
  { port }: RunningServer,
  subscribers: Subscribers,
  { path, body, perSecond, seconds }: PacedLoad
): Promise<Record<string, number>> {
  subscribers.giveWay()
  const command = ['node', 'bench/harness/paced-client.ts', port, path, body, perSecond, seconds].map(String)
  const latencies = JSON.parse(await runPinned(command, LOAD_CORE, seconds + SECONDS_TO_END)) as number[]
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    'http-p50': quantile(sorted, 0.5),
    'http-p99': quantile(sorted, 0.99),
    'http-rate': latencies.length / seconds
  }
}
