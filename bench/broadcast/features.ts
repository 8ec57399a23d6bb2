import type { Bar } from '../harness/bars.ts'
import type { Case } from '../harness/case.ts'
import { type Broadcaster, scherzoWith } from '../peers/broadcasters.ts'
import { featureColumns, featureCompared } from './columns.ts'
import { fanOutCase, loadOf } from './fan-out-case.ts'
import type { BroadcastOptions } from './options.ts'

const SUBSCRIBERS = [100, 1000]
const RATE = 2000
const RATE_SUBSCRIBERS = 100

const BARE = 'bare'
const servers: readonly Broadcaster[] = [
  scherzoWith('broadcast', BARE),
  scherzoWith('broadcast-history', 'history'),
  scherzoWith('broadcast-presence', 'history, presence'),
  scherzoWith('broadcast-all', 'history, presence, protocol', 'scherzo.v1')
]

/** What a feature may cost beside bare publishing. */
const AT_MOST = 1.3

const rateName = `Features, ${RATE} messages a second to ${RATE_SUBSCRIBERS} subscribers`

export function featureCases(options: BroadcastOptions): Case[] {
  const load = loadOf(options)
  return [
    ...SUBSCRIBERS.map((subscribers) => ({
      ...fanOutCase(servers, { ...load, subscribers }),
      name: throughputName(subscribers),
      columns: featureColumns,
      compared: featureCompared
    })),
    {
      ...fanOutCase(servers, { ...load, subscribers: RATE_SUBSCRIBERS, rate: RATE }),
      name: rateName,
      columns: featureColumns,
      compared: featureCompared
    }
  ]
}

export function featureBars(): Bar[] {
  return [...SUBSCRIBERS.map(throughputName), rateName].flatMap((name) =>
    servers.slice(1).map((server) => ({
      case: name,
      server: server.name,
      peer: BARE,
      figure: 'wholeCpu',
      title: 'CPU/delivery',
      wanted: { atMost: AT_MOST }
    }))
  )
}

function throughputName(subscribers: number): string {
  return `Features, as many messages as go to ${subscribers} subscribers`
}
