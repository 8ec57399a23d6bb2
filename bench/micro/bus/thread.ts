import { setTimeout } from 'node:timers/promises'
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { type BusDescription, joinBus } from '../../../core/bus/bus.ts'
import { makeMessage, numberIn } from './message.ts'

export type Transport = 'bus' | 'BroadcastChannel'

export interface ThreadTask {
  readonly role: 'publisher' | 'reader' | 'pinger' | 'listener'
  readonly transport: Transport
  readonly description: BusDescription
  readonly count: number
}

const CHANNEL = 'ticks'
/** A publisher that awaits its messages has about so many under way. */
const WINDOW = 2048

/** To make a message must not take longer than to publish it, so they are made before. */
const DIFFERENT_MESSAGES = 4096
const messages = Array.from({ length: DIFFERENT_MESSAGES }, (_, number) => makeMessage(number))

const { role, transport, description, count } = workerData as ThreadTask
const port = parentPort!
switch (role) {
  case 'publisher':
    port.once('message', transport === 'bus' ? publishByBus : publishByBroadcastChannel)
    break
  case 'reader':
    if (transport === 'bus') await readByBus()
    else readByBroadcastChannel()
    break
  case 'pinger':
    port.once('message', ping)
    break
  case 'listener':
    await listen()
}
port.postMessage('ready')

async function publishByBus(): Promise<void> {
  const bus = joinBus(description)
  const start = now()
  let last: Promise<unknown> = Promise.resolve()
  for (let number = 0; number < count; number++) {
    const published = bus.publish(CHANNEL, messages[number % messages.length]!)
    if (number % WINDOW !== 0) continue
    await last
    last = published
  }
  port.postMessage(start)
}

function publishByBroadcastChannel(): void {
  const broadcast = new BroadcastChannel(CHANNEL)
  const start = now()
  for (let number = 0; number < count; number++) broadcast.postMessage(messages[number % messages.length]!)
  port.postMessage(start)
}

async function readByBus(): Promise<void> {
  const note = noting()
  await joinBus(description).read({ onRecord: (record) => note(numberIn(record.data)) })
}

function readByBroadcastChannel(): void {
  const note = noting()
  const broadcast = new BroadcastChannel(CHANNEL)
  broadcast.addEventListener('message', (event) => {
    note(Number((event as unknown as { data: string }).data.slice(5, 15)))
  })
}

/** The benchmark is void if a message is missing, doubled or out of order. */
function noting(): (number: number) => void {
  let expected = 0
  return (number) => {
    const wanted = expected % DIFFERENT_MESSAGES
    if (number !== wanted) throw new Error(`Message ${number} came in place of ${wanted}`)
    if (++expected === count) port.postMessage(now())
  }
}

async function ping(): Promise<void> {
  const bus = joinBus(description)
  for (let number = 0; number < count; number++) {
    await bus.publish(CHANNEL, String(now()))
    await setTimeout(1)
  }
  port.postMessage('done')
}

async function listen(): Promise<void> {
  const latencies: number[] = []
  await joinBus(description).read({
    onRecord(record) {
      latencies.push(now() - Number(record.data.toString()))
      if (latencies.length === count) port.postMessage(latencies)
    }
  })
}

/** Milliseconds on a clock that all threads share. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
