// Run as: node delivery-reader.ts PORT PATH, with an IPC channel.
// One subscriber on Node's WebSocket, as an app would write it: it parses every message, and looks that none is missing.

import { setTimeout as sleep } from 'node:timers/promises'
import { microsecondsNow } from '../broadcast/message.ts'
import type { Data } from '../delivery/data.ts'
import { SERVER_CORE } from './cores.ts'
import { type CpuTime, readCoreBusy, readCpu } from './cpu.ts'
import { quantile } from './statistics.ts'

/** A mark names the server's process: its CPU time belongs to the moment at which messages are counted. */
export type ReaderQuestion = { mark: number } | 'latencies' | { last: number }

export interface ReaderMark {
  /** Messages so far, those in batches one by one. */
  messages: number
  /** Of the WebSocket. */
  events: number
  /** CPU seconds of this process so far. */
  cpu: number
  server: CpuTime
  /** Busy seconds of the server's core. */
  core: number
  seconds: number
}

const SECONDS_TO_ARRIVE = 30
const [port = '', path = ''] = process.argv.slice(2)

let last = -1
let events = 0
let latencies: number[] = []

const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
socket.addEventListener('message', ({ data }) => {
  events++
  const message = JSON.parse(data as string) as { data: Data } | { data: Data }[]
  const now = microsecondsNow()
  if (Array.isArray(message)) for (const each of message) take(each.data, now)
  else take(message.data, now)
})
socket.addEventListener('close', ({ code, reason }) => fail(`The reader was closed with ${code} ${reason}`))
process.on('disconnect', () => process.exit())
process.on('message', (question: ReaderQuestion) => void answer(question).then(tell))
await new Promise((resolve) => socket.addEventListener('open', resolve))
tell('ready')

function take({ sequence, at }: Data, now: number): void {
  if (sequence !== last + 1) fail(`The reader got ${sequence} after ${last}`)
  last = sequence
  latencies.push((now - at) / 1000)
}

async function answer(question: ReaderQuestion): Promise<unknown> {
  if (question === 'latencies') {
    const sorted = latencies.toSorted((a, b) => a - b)
    return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
  }
  if ('mark' in question) return mark(question.mark)
  const deadline = performance.now() + SECONDS_TO_ARRIVE * 1000
  while (last !== question.last) {
    if (performance.now() > deadline) fail(`The reader has ${last} and not ${question.last}`)
    await sleep(20)
  }
  return null
}

/** Latencies count from the last mark on. */
function mark(pid: number): ReaderMark {
  const { user, system } = process.cpuUsage()
  latencies = []
  return {
    messages: last + 1,
    events,
    cpu: (user + system) / 1e6,
    server: readCpu(pid),
    core: readCoreBusy(SERVER_CORE),
    seconds: performance.now() / 1000
  }
}

function fail(reason: string): never {
  console.error(reason)
  process.exit(1)
}

function tell(answer: unknown): void {
  process.send?.({ answer })
}
