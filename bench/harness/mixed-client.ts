// node bench/harness/mixed-client.ts PORT LIGHT_PER_SECOND HEAVY_AT_ONCE BURN_MILLISECONDS SECONDS
//
// Light requests at a fixed rate beside heavy ones, of which so many are always under way. Prints JSON. The latency of a light
// request counts from the moment at which it was due: one that could not be sent in time has waited, too.

import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the client prints: latencies of the light requests in milliseconds, and how many of each were answered. */
export interface MixedReport {
  light: number[]
  heavy: number
}

const [port = 0, lightPerSecond = 0, heavyAtOnce = 0, burn = 0, seconds = 0] = process.argv
  .slice(2)
  .map(Number)
const agent = new Agent({ keepAlive: true })
const end = performance.now() + seconds * 1000
const report: MixedReport = { light: [], heavy: 0 }
await Promise.all([askLight(), ...Array.from({ length: heavyAtOnce }, askHeavy)])
console.log(JSON.stringify(report))
process.exit()

async function askLight(): Promise<void> {
  const open: Promise<void>[] = []
  for (let due = performance.now(); due < end; due += 1000 / lightPerSecond) {
    await sleep(Math.max(0, due - performance.now()))
    open.push(
      ask('/light', '{"message":"light"}').then(() => void report.light.push(performance.now() - due))
    )
  }
  await Promise.all(open)
}

async function askHeavy(): Promise<void> {
  while (performance.now() < end) {
    await ask(`/burn?ms=${burn}`, '{"message":"burnt"}')
    if (performance.now() < end) report.heavy++
  }
}

function ask(path: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, agent }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => {
        if (response.statusCode === 200 && body === expected) resolve()
        else reject(new Error(`${path} answered ${response.statusCode} ${body}`))
      })
    })
      .on('error', reject)
      .end()
  })
}
