import type { Column } from '../harness/case.ts'

const rate: Column = { figure: 'rate', title: 'requests/s', digits: 0 }
const cpu: Column = { figure: 'cpu', title: 'CPU µs/request', digits: 2 }

export const pipelinedColumns: readonly Column[] = [
  rate,
  cpu,
  { figure: 'cpuUser', title: 'user µs', digits: 2 },
  { figure: 'cpuSystem', title: 'system µs', digits: 2 },
  { figure: 'busy', title: 'server CPU %', digits: 0, scale: 100 }
]

export const loadColumns: readonly Column[] = [
  ...pipelinedColumns,
  { figure: 'p50', title: 'p50 ms', digits: 2 },
  { figure: 'p99', title: 'p99 ms', digits: 2 }
]

export const loadCompared: readonly Column[] = [rate, cpu]

const perConnection: Column = { figure: 'perConnection', title: 'bytes/connection', digits: 0 }
const perNextConnection: Column = {
  figure: 'perNextConnection',
  title: 'bytes/connection, as many again',
  digits: 0
}

const perConnectionOfAll: Column = {
  figure: 'perConnectionOfAll',
  title: 'bytes/connection, all of them',
  digits: 0
}

export const memoryColumns: readonly Column[] = [
  perConnection,
  perNextConnection,
  perConnectionOfAll,
  { figure: 'before', title: 'RSS MB at first', digits: 1 },
  { figure: 'between', title: 'then', digits: 1 },
  { figure: 'after', title: 'at last', digits: 1 }
]

export const memoryCompared: readonly Column[] = [perConnection, perNextConnection, perConnectionOfAll]
