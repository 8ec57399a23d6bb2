import { parseArgs } from 'node:util'
import { parseList, parsePositive } from '../harness/options.ts'
import { modesFor } from './modes.ts'

export const caseKinds = ['crowd', 'client'] as const
export type CaseKind = (typeof caseKinds)[number]

export interface DeliveryOptions {
  only: CaseKind[]
  repeats: number
  seconds: number
  warmUp: number
  subscribers: number
  bytes: number[]
  rate: number | null
  modes: string[]
  json: string | null
  help: boolean
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
  const { values } = parseArgs({
    args,
    options: {
      repeats: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '8' },
      'warm-up': { type: 'string', default: '4' },
      subscribers: { type: 'string', default: '1000' },
      bytes: { type: 'string', default: '200,2000' },
      only: { type: 'string', default: caseKinds.join() },
      rate: { type: 'string' },
      modes: { type: 'string', default: modeNames.join() },
      json: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  return {
    repeats: parsePositive('--repeats', values.repeats, Number.isInteger),
    seconds: parsePositive('--seconds', values.seconds, Number.isFinite),
    warmUp: parsePositive('--warm-up', values['warm-up'], Number.isFinite),
    subscribers: parsePositive('--subscribers', values.subscribers, Number.isInteger),
    bytes: values.bytes.split(',').map((item) => parsePositive('--bytes', item, Number.isInteger)),
    only: parseList('--only', values.only, caseKinds),
    rate: values.rate === undefined ? null : parsePositive('--rate', values.rate, Number.isFinite),
    modes: parseList('--modes', values.modes, modeNames),
    json: values.json ?? null,
    help: values.help
  }
}
