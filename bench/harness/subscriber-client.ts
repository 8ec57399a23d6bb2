// Run as: node subscriber-client.ts PORT PROTOCOL CONNECTIONS CHANNELS AT_A_TIME OBSERVATION, with an IPC channel.
// Opens the connections, one channel's after the other's, and tells how many it got. Then it answers what it is asked; only
// "yield" has no answer.

import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { channelName, microsecondsNow } from '../broadcast/message.ts'
import { SERVER_CORE } from './cores.ts'
import { comeBack, type ComebackLoad } from './comeback.ts'
import { type CpuTime, readCoreBusy, readCpu } from './cpu.ts'
import type { Protocol } from './dialogue.ts'
import { CompletionObserver, LatencyObserver, type Observation, type WindowObserver } from './observers.ts'
import { type Account, settle } from './sequence.ts'
import { type Shared, Subscriber } from './subscriber.ts'

/** Begin and end name the server's process: its CPU time belongs to the moment at which deliveries are counted. */
export type Question =
  | 'count'
  | 'yield'
  | 'leave'
  | { comeBack: ComebackLoad }
  | { begin: number }
  | { end: number }
  | { finish: number }

/** What had been reached at the beginning or the end of the window. */
export interface Mark {
  seconds: number
  delivered: number
  server: CpuTime
  /** Busy seconds of the server's core. */
  core: number
  /** CPU seconds of this client. */
  client: number
}

export interface Finish {
  /** When publishing had ended. */
  account: Account
  /** After what was in flight then had time to arrive. */
  atLast: Account
  /** The same for all connections that have ended. */
  ended: string[]
  figures: Record<string, number>
}

const SECONDS_TO_ARRIVE = 30

const [port = '', protocol = '', connections = '', channels = '', atATime = '', observation = ''] =
  process.argv.slice(2)
const observer = createObserver(observation as Observation)
const shared: Shared = { port: Number(port), protocol: protocol as Protocol, observer }
const subscribers: Subscriber[] = []

// A benchmark that was killed leaves no client behind.
process.on('disconnect', () => process.exit())
process.on('message', (question: Question) => {
  if (question === 'count') tell(countOpen())
  else if (question === 'yield') setPriority(constants.priority.PRIORITY_LOW)
  else if (question === 'leave') tell(leave())
  else if ('comeBack' in question) void comeBack(shared, subscribers, pathOf, question.comeBack).then(tell)
  else if ('begin' in question) tell(begin(question.begin))
  else if ('end' in question) tell(end(question.end))
  else void finish(question.finish).then(tell)
})

await openAll()
tell(countOpen())

async function openAll(): Promise<void> {
  while (subscribers.length < Number(connections)) {
    const batch: Promise<void>[] = []
    while (batch.length < Number(atATime) && subscribers.length < Number(connections)) {
      const channel = subscribers.length % Number(channels)
      const subscriber = new Subscriber(shared, channel, pathOf(channel))
      subscribers.push(subscriber)
      batch.push(subscriber.ready)
    }
    await Promise.all(batch)
  }
}

function pathOf(channel: number): string {
  return shared.protocol === 'socket.io'
    ? '/socket.io/?EIO=4&transport=websocket'
    : `/${channelName(channel)}`
}

/** All connections end at once. */
function leave(): number {
  for (const subscriber of subscribers) subscriber.cut()
  return subscribers.length
}

function begin(server: number): Mark {
  if (observer !== null) observer.from = microsecondsNow()
  return mark(server)
}

function end(server: number): Mark {
  if (observer !== null) observer.to = microsecondsNow()
  return mark(server)
}

function mark(server: number): Mark {
  const { user, system } = process.cpuUsage()
  return {
    seconds: performance.now() / 1000,
    delivered: subscribers.reduce((sum, { sequence }) => sum + sequence.delivered, 0),
    server: readCpu(server),
    core: readCoreBusy(SERVER_CORE),
    client: (user + system) / 1e6
  }
}

async function finish(published: number): Promise<Finish> {
  const account = settleAll(published)
  const deadline = performance.now() + SECONDS_TO_ARRIVE * 1000
  let atLast = account
  while (atLast.inFlight > 0 && performance.now() < deadline) {
    await sleep(20)
    atLast = settleAll(published)
  }
  const ended = subscribers.map(({ ended }) => ended).filter((reason) => reason !== null)
  return { account, atLast, ended, figures: observer?.figures() ?? {} }
}

function settleAll(published: number): Account {
  return settle(
    subscribers.map(({ sequence }) => sequence),
    published
  )
}

function countOpen(): number {
  return subscribers.filter(({ ended }) => ended === null).length
}

function createObserver(observation: Observation): WindowObserver | null {
  if (observation === 'latency') return new LatencyObserver()
  if (observation === 'completion') return new CompletionObserver(Number(connections), Number(channels))
  return null
}

function tell(answer: unknown): void {
  process.send?.(answer)
}
