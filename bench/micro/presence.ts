// node --expose-gc bench/micro/presence.ts: what presence costs the primary

import { Worker } from 'node:worker_threads'
import { Presence } from '../../core/broadcast/presence.ts'
import { HubCenter } from '../../workers/hub/hub-center.ts'
import { portsOf } from '../../workers/hub/messages.ts'
import { describeCommit, describeMachine } from '../harness/machine.ts'

const RUNS = 5
const CHURN_SECONDS = 2
/** Each second so many join and as many leave. */
const RATE = 10_000
const MEMBERS = 100_000

const { cores: _cores, ...machine } = describeMachine()
for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`)
console.log(`Node.js: ${process.version}\ncommit: ${describeCommit()}\n`)

for (const channel of ['room', 'crowd']) {
  const costs: number[] = []
  let told = 0
  for (let run = 0; run < RUNS; run++) {
    const result = await churn(channel)
    costs.push(result.cpu)
    told = result.told
  }
  const rounded = costs.map((cost) => cost.toFixed(0)).join(', ')
  console.log(
    `${RATE} joins and ${RATE} leaves a second in one channel (${channel}): ${rounded} ms of the primary's CPU a second; ` +
      `${told / CHURN_SECONDS} messages a second`
  )
}
console.log(`A member beside its id and data: ${memoryOfMember().toFixed(0)} bytes`)

async function churn(channel: string): Promise<{ cpu: number; told: number }> {
  const center = new HubCenter((error) => console.error(error), {
    historyBytes: 1,
    idempotencyWindow: 0,
    idempotencyKeys: 1
  })
  const link = center.connect()
  const worker = new Worker(new URL('presence/churn.ts', import.meta.url), {
    workerData: { link, channel, rate: RATE, seconds: CHURN_SECONDS },
    transferList: portsOf(link)
  })
  await new Promise((resolve) => worker.once('message', resolve))
  const before = process.threadCpuUsage()
  const toldBefore = center.presenceTold
  const ended = new Promise((resolve) => worker.once('message', resolve))
  worker.postMessage('go')
  await ended
  const { user, system } = process.threadCpuUsage(before)
  const told = center.presenceTold - toldBefore
  await worker.terminate()
  center.close()
  return { cpu: (user + system) / 1000 / CHURN_SECONDS, told }
}

function memoryOfMember(): number {
  const shown = Array.from({ length: MEMBERS }, (_, index) => ({ id: `member ${index}`, data: null }))
  const presence = new Presence()
  globalThis.gc!()
  const before = process.memoryUsage().heapUsed
  for (const each of shown) presence.enter(1, each)
  presence.settle({ maxMembers: 1000, interval: 200 })
  globalThis.gc!()
  const after = process.memoryUsage().heapUsed
  if (presence.count !== shown.length) throw new Error('Members are missing')
  return (after - before) / MEMBERS
}
