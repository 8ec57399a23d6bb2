import { LOAD_CORE, SERVER_CORE } from './cores.ts'
import { readCoreBusy, readCpu } from './cpu.ts'
import type { MixedReport } from './mixed-client.ts'
import { type Command, runPinned } from './processes.ts'
import { type Sample, sampleOf } from './sample.ts'
import type { RunningServer } from './server.ts'
import { quantile } from './statistics.ts'

/** Light requests at a fixed rate beside heavy ones. */
export interface MixedLoad {
  lightPerSecond: number
  heavyAtOnce: number
  /** CPU time that a heavy request takes, in milliseconds. */
  burn: number
  warmUpSeconds: number
  seconds: number
}

const SECONDS_TO_END = 30

export async function measureMixed(server: RunningServer, load: MixedLoad): Promise<Sample> {
  await run(server, load, load.warmUpSeconds)
  const before = readCpu(server.pid)
  const coreBefore = readCoreBusy(SERVER_CORE)
  const { light, heavy } = await run(server, load, load.seconds)
  const { user, system } = readCpu(server.pid)
  const sample = sampleOf({
    requests: light.length + heavy,
    seconds: load.seconds,
    server: { user: user - before.user, system: system - before.system },
    core: readCoreBusy(SERVER_CORE) - coreBefore
  })
  const sorted = light.toSorted((a, b) => a - b)
  const figures = {
    ...sample.figures,
    light: light.length / load.seconds,
    heavy: heavy / load.seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99)
  }
  return { figures, warnings: sample.warnings }
}

export function mixedCommand(load: MixedLoad, port: number | string, seconds: number): Command {
  return `node bench/harness/mixed-client.ts ${port} ${load.lightPerSecond} ${load.heavyAtOnce} ${load.burn} ${seconds}`.split(
    ' '
  )
}

async function run(server: RunningServer, load: MixedLoad, seconds: number): Promise<MixedReport> {
  const output = await runPinned(
    mixedCommand(load, server.port, seconds),
    LOAD_CORE,
    seconds + SECONDS_TO_END
  )
  return JSON.parse(output) as MixedReport
}
