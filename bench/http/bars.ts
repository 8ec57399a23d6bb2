import type { Bar } from '../harness/bars.ts'
import { BUN, FASTIFY, SCHERZO } from '../peers/peers.ts'
import { jsonCase, mountedCase, plaintextCase } from './cases.ts'
import type { CaseKind, Options } from './options.ts'

/** What Scherzo is held to. */
export function barsFor({ only, connections }: Options): Bar[] {
  return only.flatMap((kind) => bars[kind](connections))
}

const rate = { server: SCHERZO, figure: 'rate', title: 'requests/s' }
const cpu = { server: SCHERZO, figure: 'cpu', title: 'CPU/request' }

const bars: Record<CaseKind, (connections: readonly number[]) => Bar[]> = {
  plaintext: (connections) =>
    connections.flatMap((count) => [
      { ...rate, case: plaintextCase(count), peer: BUN, wanted: { atLeast: 0.95 } },
      { ...rate, case: plaintextCase(count), peer: FASTIFY, wanted: { atLeast: 12 } }
    ]),
  json: () => [
    { ...cpu, case: jsonCase, peer: BUN, wanted: { atMost: 1.2 } },
    { ...cpu, case: jsonCase, peer: FASTIFY, wanted: { atMost: 0.8 } }
  ],
  mounted: () => [{ ...rate, case: mountedCase, peer: FASTIFY, wanted: { atLeast: 0.98 } }],
  autocannon: () => [],
  memory: () => []
}
