import { versionOf } from '../harness/machine.ts'
import type { Suite } from '../harness/suite.ts'
import { installBun } from '../peers/install.ts'
import { bun, fastify, nodeHttp, peerVersions, scherzo } from '../peers/peers.ts'
import { barsFor } from './bars.ts'
import { casesFor, IDLE_CONNECTIONS, type Servers } from './cases.ts'
import type { Options } from './options.ts'

export function httpSuite(options: Options, log: (line: string) => void): Suite {
  const bunProgram = options.servers.includes('bun') ? installBun(log) : null
  return {
    programs: usesWrk(options) ? ['wrk'] : [],
    connections: mostConnections(options),
    versions: { ...peerVersions(bunProgram), autocannon: versionOf('node_modules/autocannon') },
    cases: casesFor(options, chooseServers(options, bunProgram)),
    bars: barsFor(options)
  }
}

function usesWrk({ only }: Options): boolean {
  return only.some((kind) => kind === 'plaintext' || kind === 'json' || kind === 'mounted')
}

function mostConnections({ only, connections }: Options): number {
  return Math.max(
    ...(only.includes('plaintext') ? connections : []),
    only.includes('memory') ? 2 * IDLE_CONNECTIONS : 0
  )
}

function chooseServers({ servers }: Options, bunProgram: string | null): Servers {
  return {
    ...(servers.includes('scherzo') && { scherzo }),
    ...(servers.includes('fastify') && { fastify }),
    ...(servers.includes('node') && { node: nodeHttp }),
    ...(servers.includes('bun') && bunProgram !== null && { bun: bun(bunProgram) })
  }
}
