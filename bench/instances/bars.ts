import type { Bar } from '../harness/bars.ts'
import { throughputCase } from './cases.ts'
import type { InstancesOptions } from './options.ts'
import { SCHERZO_REDIS } from './sites.ts'

/** Deliveries/s from one core. */
const HELD_TO = 1_040_000
const HELD_TO_AT = 500

/** What Scherzo is held to. */
export function barsFor({ only, sites, subscribers }: InstancesOptions): Bar[] {
  if (!only.includes('throughput') || !sites.includes('redis') || !subscribers.includes(HELD_TO_AT)) return []
  return [
    { figure: 'rate', title: 'deliveries/s' },
    // Where others use the server's core too, this is what compares.
    { figure: 'perCpuSecond', title: 'deliveries/CPU s' }
  ].map(({ figure, title }) => ({
    case: throughputCase(HELD_TO_AT),
    server: SCHERZO_REDIS,
    peer: null,
    figure,
    title,
    wanted: { atLeast: HELD_TO }
  }))
}
