import type { Suite } from '../harness/suite.ts'
import { broadcasters, broadcasterVersions } from '../peers/broadcasters.ts'
import { installBun, isPeerInstalled } from '../peers/install.ts'
import { barsFor } from './bars.ts'
import { casesFor, IDLE_SUBSCRIBERS } from './cases.ts'
import type { BroadcastOptions } from './options.ts'
import { RECOVERY_SUBSCRIBERS } from './recovery.ts'

export function broadcastSuite(options: BroadcastOptions, log: (line: string) => void): Suite {
  const installed = {
    bunProgram: options.servers.includes('bun') ? installBun(log) : null,
    hasSocketIo: options.servers.includes('socket.io') && isPeerInstalled('socket.io', log)
  }
  return {
    programs: [],
    connections: mostConnections(options),
    versions: broadcasterVersions(installed),
    cases: casesFor(options, broadcasters(options.servers, installed)),
    bars: barsFor(options)
  }
}

function mostConnections({ only, subscribers, channelSubscribers }: BroadcastOptions): number {
  return Math.max(
    ...(only.includes('throughput') ? subscribers : []),
    only.includes('channels') ? channelSubscribers : 0,
    only.includes('recovery') ? RECOVERY_SUBSCRIBERS : 0,
    only.includes('memory') ? 2 * IDLE_SUBSCRIBERS : 0
  )
}
