import type { Bar } from '../harness/bars.ts'
import { BUN, SCHERZO, WS } from '../peers/broadcasters.ts'
import {
  channelsCase,
  channelsName,
  heldMemoryCase,
  rateCase,
  RATE_SUBSCRIBERS,
  throughputCase
} from './cases.ts'
import { featureBars } from './features.ts'
import type { BroadcastOptions, CaseKind } from './options.ts'

/** Deliveries/s from one core. */
const HELD_TO = 2_100_000
const HELD_TO_AT: ReadonlySet<number> = new Set([100, 1000])

/** What Scherzo is held to. */
export function barsFor(options: BroadcastOptions): Bar[] {
  return options.only.flatMap((kind) => bars[kind](options))
}

const bars: Record<CaseKind, (options: BroadcastOptions) => Bar[]> = {
  throughput: ({ subscribers }) =>
    [
      { figure: 'rate', title: 'deliveries/s' },
      // Where others use the server's core too, or the clients set the pace, this is what compares.
      { figure: 'perCpuSecond', title: 'deliveries/CPU s' }
    ].flatMap((what) => subscribers.flatMap((count) => throughputBars(count, what))),
  rate: () =>
    RATE_SUBSCRIBERS.map((count) => ({
      case: rateCase(count),
      server: SCHERZO,
      peer: WS,
      figure: 'cpu',
      title: 'CPU/delivery',
      wanted: { atMost: 0.95 }
    })),
  channels: ({ channelSubscribers }) => [
    {
      case: channelsCase(channelSubscribers),
      server: channelsName(1),
      peer: channelsName(40),
      figure: 'average',
      title: 'time until all have it',
      wanted: { atMost: 1.5 }
    }
  ],
  http: () => [],
  memory: () => [
    {
      case: heldMemoryCase,
      server: SCHERZO,
      peer: WS,
      figure: 'perConnectionOfAll',
      title: 'bytes/connection',
      wanted: { atMost: 0.8 }
    }
  ],
  recovery: () => [],
  features: featureBars
}

function throughputBars(count: number, what: Pick<Bar, 'figure' | 'title'>): Bar[] {
  const bar = { ...what, case: throughputCase(count), server: SCHERZO }
  return [
    { ...bar, peer: BUN, wanted: { atLeast: 1 } },
    { ...bar, peer: WS, wanted: { atLeast: 10 } },
    ...(HELD_TO_AT.has(count) ? [{ ...bar, peer: null, wanted: { atLeast: HELD_TO } }] : [])
  ]
}
