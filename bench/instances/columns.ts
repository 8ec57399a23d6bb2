import type { Column } from '../harness/case.ts'

const rate: Column = { figure: 'rate', title: 'deliveries/s', digits: 0 }
const publishes: Column = { figure: 'publishes', title: 'publishes/s', digits: 0 }
const perCpuSecond: Column = { figure: 'perCpuSecond', title: 'deliveries/CPU s', digits: 0 }
const cpu: Column = { figure: 'cpu', title: 'CPU µs/delivery', digits: 3 }
const p50: Column = { figure: 'p50', title: 'p50 ms', digits: 2 }
const p99: Column = { figure: 'p99', title: 'p99 ms', digits: 2 }

const others: readonly Column[] = [
  { figure: 'publisherCpu', title: 'of the publisher µs', digits: 3 },
  { figure: 'brokerCpu', title: 'of the broker µs', digits: 3 },
  { figure: 'serverPerPublish', title: 'CPU µs/publish', digits: 1 },
  { figure: 'publisherPerPublish', title: 'of the publisher µs', digits: 1 },
  { figure: 'brokerPerPublish', title: 'of the broker µs', digits: 1 }
]

const usage: readonly Column[] = [
  { figure: 'publisherBusy', title: 'publisher CPU %', digits: 0, scale: 100 },
  { figure: 'brokerBusy', title: 'broker CPU %', digits: 0, scale: 100 },
  { figure: 'client', title: 'client CPU %', digits: 0, scale: 100 }
]

const conservation: readonly Column[] = [
  { figure: 'owed', title: 'published x subscribers', digits: 0 },
  { figure: 'share', title: 'delivered in the end %', digits: 1, scale: 100 },
  { figure: 'skipped', title: 'skipped', digits: 0 },
  { figure: 'inFlight', title: 'in flight at the end', digits: 0 }
]

export const throughputColumns: readonly Column[] = [
  rate,
  publishes,
  perCpuSecond,
  cpu,
  ...others,
  { figure: 'busy', title: 'server CPU %', digits: 0, scale: 100 },
  ...usage,
  ...conservation
]
export const throughputCompared: readonly Column[] = [rate, perCpuSecond]

export const rateColumns: readonly Column[] = [
  p50,
  p99,
  cpu,
  ...others,
  { figure: 'used', title: 'server CPU %', digits: 0, scale: 100 },
  ...usage,
  rate,
  ...conservation
]
export const rateCompared: readonly Column[] = [p50, p99, cpu]
