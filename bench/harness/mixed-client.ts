// node bench/harness/mixed-client.ts PORT LIGHT_PER_SECOND HEAVY_AT_ONCE BURN_MILLISECONDS SECONDS
//
// Light requests at a fixed rate beside heavy ones, of which so many are always under way. Prints JSON.

import { ask, askAtRate } from './paced-requests.ts'

/** What the client prints: latencies of the light requests in milliseconds, and how many of each were answered. */
export interface MixedReport {
  light: number[]
  heavy: number
}

const [port = 0, lightPerSecond = 0, heavyAtOnce = 0, burn = 0, seconds = 0] = process.argv
  .slice(2)
  .map(Number)
const end = performance.now() + seconds * 1000
const report: MixedReport = { light: [], heavy: 0 }
await Promise.all([askLight(), ...Array.from({ length: heavyAtOnce }, askHeavy)])
console.log(JSON.stringify(report))
process.exit()

async function askLight(): Promise<void> {
  report.light = await askAtRate(port, '/light', '{"message":"light"}', lightPerSecond, seconds)
}

async function askHeavy(): Promise<void> {
  while (performance.now() < end) {
    await ask(port, `/burn?ms=${burn}`, '{"message":"burnt"}')
    if (performance.now() < end) report.heavy++
  }
}
