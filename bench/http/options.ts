import { parseArgs } from 'node:util'
import { parseList, parsePositive } from '../harness/options.ts'

export const caseKinds = ['plaintext', 'json', 'mounted', 'autocannon', 'memory'] as const
export type CaseKind = (typeof caseKinds)[number]

export const serverKinds = ['scherzo', 'fastify', 'node', 'bun'] as const
export type ServerKind = (typeof serverKinds)[number]

export interface Options {
  repeats: number
  seconds: number
  warmUp: number
  connections: number[]
  only: CaseKind[]
  servers: ServerKind[]
  json: string | null
  help: boolean
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
  const { values } = parseArgs({
    args,
    options: {
      repeats: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '2' },
      connections: { type: 'string', default: '64,256,1024,4096,16384' },
      only: { type: 'string', default: caseKinds.join() },
      servers: { type: 'string', default: serverKinds.join() },
      json: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  return {
    repeats: parsePositive('--repeats', values.repeats, Number.isInteger),
    seconds: parsePositive('--seconds', values.seconds, Number.isFinite),
    warmUp: parsePositive('--warm-up', values['warm-up'], Number.isFinite),
    connections: values.connections
      .split(',')
      .map((item) => parsePositive('--connections', item, Number.isInteger)),
    only: parseList('--only', values.only, caseKinds),
    servers: parseList('--servers', values.servers, serverKinds),
    json: values.json ?? null,
    help: values.help
  }
}
