import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Outbox } from '../../../core/broadcast/subscriptions.ts'
import { DEFAULT_SLOW_POLICY } from '../../../core/broadcast/subscriptions.ts'
import { createLog } from '../../../workers/log.ts'
import type { HubLink } from '../../../workers/hub/messages.ts'
import { ThreadHub } from '../../../workers/hub/thread-hub.ts'

// A worker in which identities come and go at a steady rate, watched by one client.

const { link, channel, rate, seconds } = workerData as {
  readonly link: HubLink
  readonly channel: string
  readonly rate: number
  readonly seconds: number
}
/** How long each of them stays, in turns of 10 ms: 200 ms, so that most are told, and fewer than 5000 at a time. */
const STAY = 20
const perTurn = rate / 100

const log = createLog({ logFormat: 'json', logLevel: 'warn' }, null)
const hub = new ThreadHub(link, { adapterBufferMultiplierPerCpu: 64 }, log)
hub.channel('room', { presence: { maxMembers: 5000 } })
hub.channel('crowd', { presence: { maxMembers: 100 } })
await hub.serve()
const outbox: Outbox = {
  bufferedBytes: 0,
  isStalled: false,
  stalledSince: null,
  onDrain: null,
  onPlace: null,
  send: () => {},
  flush: () => {}
}
hub.hub.join(outbox, DEFAULT_SLOW_POLICY, { close: () => {} }).watchPresence(channel)

for (let turn = -STAY; turn < 0; turn++) enter(turn)
await delay(1000)
parentPort!.once('message', () => void run())
parentPort!.postMessage('ready')

async function run(): Promise<void> {
  const start = performance.now()
  for (let turn = 0; turn < seconds * 100; turn++) {
    enter(turn)
    leave(turn - STAY)
    await delay(Math.max(0, start + turn * 10 - performance.now()))
  }
  parentPort!.postMessage('done')
}

function enter(turn: number): void {
  for (let index = 0; index < perTurn; index++)
    hub.attendance.enter(channel, { id: `${turn}-${index}`, data: '{"name":"Somebody"}' })
}

function leave(turn: number): void {
  for (let index = 0; index < perTurn; index++) hub.attendance.leave(channel, `${turn}-${index}`)
}
