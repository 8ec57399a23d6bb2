import { type CommonOptions, count, list, option, positive, readOptions, someOf } from '../harness/options.ts'
import { modesFor } from './modes.ts'

export const caseKinds = ['crowd', 'client'] as const
export type CaseKind = (typeof caseKinds)[number]

export interface DeliveryOptions extends CommonOptions {
  only: CaseKind[]
  subscribers: number
  bytes: number[]
  rate: number | null
  modes: string[]
}

const modeNames: readonly string[] = modesFor(null).map(({ name }) => name)

export const help: string = `Usage: npm run bench:delivery -- [options]

Measures what it takes to bring messages to clients: one by one, in batches, compressed, and with ws compressing for
each client. The server is pinned to core 0. On core 1 are its subscribers, one of which is Node's own WebSocket in a
process of its own, which parses every message. It fails when a message is missing, repeated or changed.

  crowd   to all subscribers: CPU of the server, bytes on the wire
  client  to next to nobody else, 2,000 messages a second: CPU of that client

  --repeats N         Measurements of every way. Default: 3
  --seconds N         Length of one measured window. Default: 8
  --warm-up N         Length of the load before it. Default: 4
  --subscribers N     Default: 1000
  --only LIST         Cases: ${caseKinds.join()}. Default: all
  --bytes LIST        Sizes of the messages. Default: 200,2000
  --rate N            Messages a second. Default: what one core can do, 2000 where that is possible
  --modes LIST        ${modeNames.join(',')}. Default: all
  --json FILE         Writes every sample to FILE too
  --help              Shows this

Needs Linux, two cores, taskset and 1,100 file descriptors.`

export function parseDeliveryOptions(args: string[]): DeliveryOptions {
  return readOptions(
    args,
    { repeats: 3, seconds: 8, warmUp: 4 },
    {
      subscribers: option(count, 1000),
      bytes: list(count, [200, 2000]),
      only: someOf(caseKinds),
      rate: option(positive, null),
      modes: someOf(modeNames)
    }
  )
}
