import { type CommonOptions, count, list, option, readOptions, someOf } from '../harness/options.ts'
import { type BroadcasterKind, broadcasterKinds } from '../peers/broadcasters.ts'

export const caseKinds = ['throughput', 'rate', 'channels', 'http', 'memory', 'recovery', 'features'] as const
export type CaseKind = (typeof caseKinds)[number]

export interface BroadcastOptions extends CommonOptions {
  subscribers: number[]
  turn: number
  /** Of the channels case. */
  channelSubscribers: number
  only: CaseKind[]
  servers: BroadcasterKind[]
}

export const help: string = `Usage: npm run bench:broadcast -- [options]

Measures how Scherzo broadcasts beside Bun, ws, @fastify/websocket and Socket.IO, one server at a time, pinned to
core 0 with its subscribers in another process on core 1, and prints a report. It fails when a single message is lost,
repeated or out of order on any connection.

  throughput  as many 140-byte messages as backpressure allows, on one channel
  rate        100 messages a second to 10, 100 and 500 subscribers: CPU and latency
  channels    1 to 40 channels over all subscribers of two workers: time until the last one has a message
  http        GET /plaintext while 10,000 subscribers get 20 messages a second, with fan-out in chunks and without
  memory      of idle subscribers, 8,000 and as many again; as it comes, and with garbage collected (which leaves out Bun)
  recovery    10,000 subscribers lose their connections, and come back within 5 s for what they have missed: time until all
              have it, GET /plaintext, memory and CPU meanwhile
  features    publishing with history, with presence, and to clients of the channel protocol, beside bare publishing: CPU

  --repeats N         Measurements of every server in every case. Default: 5
  --seconds N         Length of one measured window. Default: 5
  --warm-up N         Length of the load before it. Default: 2
  --only LIST         Cases: ${caseKinds.join(',')}. Default: all
  --subscribers LIST  Subscribers of the throughput case. Default: 10,100,500,1000,5000,10000
  --channel-subscribers N   Subscribers of the channels case. Default: 18000
  --turn N            Messages that are published before the event loop has its turn, in the throughput case. Bun
                      is as fast with 64 as with 256; Scherzo needs 256 to gather enough for a write.
                      Default: 256
  --servers LIST      Servers: ${broadcasterKinds.join(',')}. Default: all
  --json FILE         Writes every sample to FILE too
  --help              Shows this

Needs Linux, two cores, taskset and 18,100 file descriptors. With the defaults it takes about 85 minutes.`

export function parseBroadcastOptions(args: string[]): BroadcastOptions {
  return readOptions(
    args,
    { repeats: 5, seconds: 5, warmUp: 2 },
    {
      subscribers: list(count, [10, 100, 500, 1000, 5000, 10_000]),
      turn: option(count, 256),
      channelSubscribers: option(count, 18_000),
      only: someOf(caseKinds),
      servers: someOf(broadcasterKinds)
    }
  )
}
