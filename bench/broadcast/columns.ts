import type { Column } from '../harness/case.ts'

const rate: Column = { figure: 'rate', title: 'deliveries/s', digits: 0 }
const perCpuSecond: Column = { figure: 'perCpuSecond', title: 'deliveries/CPU s', digits: 0 }
const cpu: Column = { figure: 'cpu', title: 'CPU µs/delivery', digits: 2 }

const split: readonly Column[] = [
  { figure: 'cpuUser', title: 'user µs', digits: 2 },
  { figure: 'cpuSystem', title: 'system µs', digits: 2 }
]

const conservation: readonly Column[] = [
  { figure: 'client', title: 'client CPU %', digits: 0, scale: 100 },
  { figure: 'owed', title: 'published x subscribers', digits: 0 },
  { figure: 'share', title: 'delivered in the end %', digits: 1, scale: 100 },
  { figure: 'skipped', title: 'skipped', digits: 0 },
  { figure: 'inFlight', title: 'in flight at the end', digits: 0 }
]

const used: Column = { figure: 'used', title: 'server CPU %', digits: 1, scale: 100 }
const p50: Column = { figure: 'p50', title: 'p50 ms', digits: 2 }
const p99: Column = { figure: 'p99', title: 'p99 ms', digits: 2 }

export const throughputColumns: readonly Column[] = [
  rate,
  perCpuSecond,
  cpu,
  ...split,
  { figure: 'busy', title: 'server CPU %', digits: 0, scale: 100 },
  ...conservation
]
export const throughputCompared: readonly Column[] = [rate, perCpuSecond]

export const rateColumns: readonly Column[] = [cpu, ...split, used, p50, p99, rate, ...conservation]
export const rateCompared: readonly Column[] = [cpu, p50, p99]

export const channelColumns: readonly Column[] = [
  { figure: 'average', title: 'all have it, average ms', digits: 1 },
  { ...p50, digits: 1 },
  { ...p99, digits: 1 },
  { figure: 'message-average', title: 'one message, average ms', digits: 1 },
  { figure: 'message-p50', title: 'p50 ms', digits: 1 },
  { figure: 'message-p99', title: 'p99 ms', digits: 1 },
  cpu,
  used,
  rate,
  ...conservation
]
export const channelCompared: readonly Column[] = [
  { figure: 'average', title: 'average', digits: 1 },
  { ...p99, digits: 1 }
]

export const httpColumns: readonly Column[] = [
  { figure: 'http-p50', title: 'GET p50 ms', digits: 2 },
  { figure: 'http-p99', title: 'GET p99 ms', digits: 2 },
  { figure: 'http-rate', title: 'GET/s', digits: 0 },
  { ...p50, title: 'message p50 ms' },
  { ...p99, title: 'message p99 ms' },
  cpu,
  used,
  rate,
  ...conservation
]
export const httpCompared: readonly Column[] = [{ figure: 'http-p99', title: 'GET p99 ms', digits: 2 }]

export const recoveryColumns: readonly Column[] = [
  { figure: 'seconds', title: 'all are level after s', digits: 2 },
  { ...p50, title: 'one is level after, p50 ms', digits: 1 },
  { ...p99, digits: 1 },
  { figure: 'recovered', title: 'messages recovered by each', digits: 1 },
  { figure: 'http-p50', title: 'GET p50 ms', digits: 2 },
  { figure: 'http-p99', title: 'GET p99 ms', digits: 2 },
  { figure: 'http-rate', title: 'GET/s', digits: 0 },
  { figure: 'cpuSeconds', title: 'server CPU s', digits: 2 },
  { figure: 'cpuUserSeconds', title: 'user s', digits: 2 },
  { figure: 'cpuSystemSeconds', title: 'system s', digits: 2 },
  used,
  { figure: 'memoryBefore', title: 'RSS before MB', digits: 1 },
  { figure: 'memoryAbove', title: 'peak above that MB', digits: 1 },
  { figure: 'client', title: 'client CPU %', digits: 0, scale: 100 }
]
export const recoveryCompared: readonly Column[] = [
  { figure: 'seconds', title: 'level after s', digits: 2 },
  { figure: 'p99', title: 'p99 ms', digits: 1 },
  { figure: 'http-p99', title: 'GET p99 ms', digits: 2 },
  { figure: 'cpuSeconds', title: 'CPU s', digits: 2 },
  { figure: 'memoryAbove', title: 'above MB', digits: 1 }
]

const wholeCpu: Column = { figure: 'wholeCpu', title: 'CPU µs/delivery, from first to last', digits: 3 }

export const featureColumns: readonly Column[] = [
  wholeCpu,
  { figure: 'wholeUser', title: 'user µs', digits: 3 },
  { figure: 'wholeSystem', title: 'system µs', digits: 3 },
  rate,
  cpu,
  ...conservation
]
export const featureCompared: readonly Column[] = [wholeCpu]
