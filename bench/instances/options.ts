import { type CommonOptions, count, list, option, readOptions, someOf } from '../harness/options.ts'
import { type SiteKind, siteKinds } from './sites.ts'

export const caseKinds = ['throughput', 'rate'] as const
export type CaseKind = (typeof caseKinds)[number]

export interface InstancesOptions extends CommonOptions {
  subscribers: number[]
  turn: number
  only: CaseKind[]
  sites: SiteKind[]
}

export const help: string = `Usage: npm run bench:instances -- [options]

Measures two instances with a broker between them: one publishes and has no subscribers, the other has them all. That
one is pinned to core 0; the publishing one, the broker and the subscribers share core 1. Fails when a single
message is lost, left out, repeated or out of order on any connection.

  throughput  as many 140-byte messages as the instance with the subscribers takes, on one channel
  rate        100 messages a second to 10 and 500 subscribers: latency and CPU

  --repeats N         Measurements of every pair in every case. Default: 3
  --seconds N         Length of one measured window. Default: 5
  --warm-up N         Length of the load before it. Default: 2
  --only LIST         Cases: ${caseKinds.join(',')}. Default: all
  --subscribers LIST  Subscribers of the throughput case. Default: 10,100,500,1000,5000
  --turn N            Messages that are published before the event loop has its turn, in the throughput case. Two
                      turns of Scherzo's may be under way. Default: 256
  --sites LIST        ${siteKinds.join(',')}: Scherzo with one of the brokers, and Socket.IO with Redis. Default: all
  --json FILE         Writes every sample to FILE too
  --help              Shows this

Needs Linux, two cores, taskset, redis-server or nats-server, and 5,100 file descriptors. With the defaults it takes
about 12 minutes.`

export function parseInstancesOptions(args: string[]): InstancesOptions {
  return readOptions(
    args,
    { repeats: 3, seconds: 5, warmUp: 2 },
    {
      subscribers: list(count, [10, 100, 500, 1000, 5000]),
      turn: option(count, 256),
      only: someOf(caseKinds),
      sites: someOf(siteKinds)
    }
  )
}
