// npm run bench:bus

import { Worker } from 'node:worker_threads'
import { createBus } from '../../core/bus/bus.ts'
import { describeCommit, describeMachine } from '../harness/machine.ts'
import { rotate, summarise } from '../harness/statistics.ts'
import { MESSAGE_BYTES } from './bus/message.ts'
import type { ThreadTask, Transport } from './bus/thread.ts'

const REPEATS = 5
/** Enough for 1 to 2 seconds. */
const COUNTS: Record<Transport, number> = { bus: 3_000_000, BroadcastChannel: 600_000 }
const PINGS = 2000

const transports = Object.keys(COUNTS) as Transport[]
const rates: Record<Transport, number[]> = { bus: [], BroadcastChannel: [] }
for (let repeat = 0; repeat < REPEATS; repeat++) {
  for (const transport of rotate(transports, repeat)) rates[transport].push(await measureRate(transport))
}
const latencies = await measureLatency()

const { cores: _cores, ...machine } = describeMachine()
for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`)
console.log(`Node.js: ${process.version}\ncommit: ${describeCommit()}\n`)
console.log(`${MESSAGE_BYTES}-byte messages from one thread to two, each in order; median of ${REPEATS}`)
for (const transport of transports) {
  const { median, min, max } = summarise(rates[transport])
  console.log(
    `  ${transport.padEnd(17)} ${inMillions(median)} M/s (${inMillions(min)} to ${inMillions(max)})`
  )
}
console.log(`From publish() to the listener in another thread, bus idle, ${PINGS} times`)
console.log(`  p50 ${percentile(latencies, 0.5)} µs, p99 ${percentile(latencies, 0.99)} µs`)

async function measureRate(transport: Transport): Promise<number> {
  const count = COUNTS[transport]
  const [start, ...ends] = await run(['publisher', 'reader', 'reader'], { transport, count })
  return (count / (Math.max(...(ends as number[])) - (start as number))) * 1000
}

async function measureLatency(): Promise<number[]> {
  const [, latencies] = await run(['pinger', 'listener'], { transport: 'bus', count: PINGS })
  return (latencies as number[]).sort((a, b) => a - b)
}

/** What the threads say when they have done their part, in the order of the roles. The first one starts last. */
async function run(
  roles: ThreadTask['role'][],
  task: Omit<ThreadTask, 'role' | 'description'>
): Promise<unknown[]> {
  const bus = createBus()
  const threads = roles.map((role, id) => {
    const description = bus.connect(id + 1)
    const workerData: ThreadTask = { ...task, role, description }
    return new Worker(new URL('bus/thread.ts', import.meta.url), {
      workerData,
      transferList: [description.port]
    })
  })
  await Promise.all(threads.map((thread) => answerOf(thread)))
  const answers = Promise.all(threads.map((thread) => answerOf(thread)))
  threads[0]!.postMessage('start')
  const result = await answers
  await Promise.all(threads.map((thread) => thread.terminate()))
  bus.close()
  return result
}

function answerOf(thread: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
}

function inMillions(rate: number): string {
  return (rate / 1e6).toFixed(2)
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)]! * 1000).toFixed(0)
}
