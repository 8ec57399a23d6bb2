import { type CommonOptions, count, list, readOptions, someOf } from '../harness/options.ts'

export const caseKinds = ['plaintext', 'json', 'mounted', 'autocannon', 'memory'] as const
export type CaseKind = (typeof caseKinds)[number]

export const serverKinds = ['scherzo', 'fastify', 'node', 'bun'] as const
export type ServerKind = (typeof serverKinds)[number]

export interface Options extends CommonOptions {
  connections: number[]
  only: CaseKind[]
  servers: ServerKind[]
}

export const help: string = `Usage: npm run bench:http -- [options]

Measures Scherzo beside plain Fastify, bare node:http and Bun.serve, one server at a time,
each pinned to core 0 with its load generator on core 1, and prints a report.

  --repeats N         Measurements of every server in every case. Default: 5
  --seconds N         Length of one measured window. Default: 5
  --warm-up N         Length of the run before the measured one. Default: 2
  --only LIST         Cases: ${caseKinds.join(',')}. Default: all
  --connections LIST  Connections of the plaintext case. Default: 64,256,1024,4096,16384
  --servers LIST      Servers: ${serverKinds.join(',')}. Default: all
  --json FILE         Writes every sample to FILE too
  --help              Shows this

Needs Linux, two cores, taskset and wrk. With the defaults it takes about 35 minutes.`

export function parseOptions(args: string[]): Options {
  return readOptions(
    args,
    { repeats: 5, seconds: 5, warmUp: 2 },
    {
      connections: list(count, [64, 256, 1024, 4096, 16_384]),
      only: someOf(caseKinds),
      servers: someOf(serverKinds)
    }
  )
}
