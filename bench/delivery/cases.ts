import type { Bar } from '../harness/bars.ts'
import type { Case, Column } from '../harness/case.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import { describe } from '../harness/processes.ts'
import { plaintextAnswer } from '../http/answers.ts'
import { crowdCommand, measureDelivery } from './measure.ts'
import { BOTH, COMPRESSED, modesFor, PACED, PLAIN, WS } from './modes.ts'
import type { CaseKind, DeliveryOptions } from './options.ts'

const cpu: Column = { figure: 'cpu', title: 'server µs/delivery', digits: 2 }
const bytes: Column = { figure: 'bytes', title: 'bytes/delivery', digits: 0 }
const clientCpu: Column = { figure: 'clientCpu', title: 'client µs/message', digits: 2 }

const columns: readonly Column[] = [
  { figure: 'published', title: 'messages/s', digits: 0 },
  { figure: 'used', title: 'server CPU %', digits: 0, scale: 100 },
  cpu,
  bytes,
  { figure: 'perEvent', title: 'messages/WebSocket message', digits: 1 },
  clientCpu,
  { figure: 'handled', title: 'messages/client CPU s', digits: 0 },
  { figure: 'p50', title: 'p50 ms', digits: 1 },
  { figure: 'p99', title: 'p99 ms', digits: 1 }
]

export function casesFor(options: DeliveryOptions): Case[] {
  return options.only.flatMap((kind) => options.bytes.map((size) => caseOf(kind, size, options)))
}

function caseOf(kind: CaseKind, size: number, options: DeliveryOptions): Case {
  const { rate, modes, warmUp: warmUpSeconds, seconds } = options
  const isCrowd = kind === 'crowd'
  // One client can take what a thousand can't be sent.
  const all = modesFor(rate ?? (isCrowd ? null : CLIENT_RATE))
  const servers = all.filter(({ name }) => modes.includes(name) && (isCrowd || name !== WS))
  const load = { subscribers: isCrowd ? options.subscribers : 2, bytes: size, warmUpSeconds, seconds }
  return {
    name: nameOf(kind, size),
    load: `taskset -c ${LOAD_CORE} ${describe(crowdCommand('PORT', servers[0]!, load))}`,
    answers: [plaintextAnswer],
    servers,
    columns,
    compared: [cpu, bytes, clientCpu],
    measure: (server) =>
      measureDelivery(
        server,
        servers.find(({ name }) => name === server.name)!,
        load
      )
  }
}

const CLIENT_RATE = 2000

/** What Scherzo is held to. */
export function barsFor({ only, bytes: sizes }: DeliveryOptions): Bar[] {
  return only.flatMap((kind) =>
    sizes.flatMap((size) => (kind === 'client' ? clientBars(size) : size > SMALL ? crowdBars(size) : []))
  )
}

const SMALL = 1000

/** With a crowd, messages gather on the way to a client whatever their form. */
function clientBars(size: number): Bar[] {
  const figure = { figure: 'clientCpu', title: clientCpu.title, wanted: { atMost: 0.33 } }
  return [{ ...figure, case: nameOf('client', size), server: PACED, peer: PLAIN }]
}

function crowdBars(size: number): Bar[] {
  const name = nameOf('crowd', size)
  const cost = { figure: 'cpu', title: cpu.title, wanted: { atMost: 0.1 } }
  const length = { figure: 'bytes', title: bytes.title, wanted: { atMost: 0.5 } }
  return [
    { ...cost, case: name, server: COMPRESSED, peer: WS },
    { ...length, case: name, server: COMPRESSED, peer: PLAIN },
    { ...length, case: name, server: BOTH, peer: PLAIN }
  ]
}

function nameOf(kind: CaseKind, size: number): string {
  return kind === 'crowd' ? `${size} bytes of JSON to many` : `${size} bytes of JSON to one client`
}
