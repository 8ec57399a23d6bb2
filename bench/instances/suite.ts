import { versionOf } from '../harness/machine.ts'
import type { Suite } from '../harness/suite.ts'
import { isPeerInstalled } from '../peers/install.ts'
import { barsFor } from './bars.ts'
import { brokerProgram, brokerVersion } from './brokers.ts'
import { casesFor, RATE_SUBSCRIBERS } from './cases.ts'
import type { InstancesOptions } from './options.ts'
import { createSite, type Site } from './sites.ts'

const PEERS = ['socket.io', '@socket.io/redis-adapter', 'redis']
const LEFT_OUT = 'left out, not asked for or not to be installed'

/** Without what needs a broker that is not there. */
export function instancesSuite(options: InstancesOptions, log: (line: string) => void): Suite {
  const hasSocketIo = options.sites.includes('socket.io') && PEERS.every((name) => isPeerInstalled(name, log))
  const sites = options.sites
    .filter((kind) => kind !== 'socket.io' || hasSocketIo)
    .map(createSite)
    .filter(({ broker }) => brokerProgram(broker) !== null)
  return {
    programs: sites.length === 0 ? ['redis-server'] : [],
    connections: Math.max(...options.subscribers, ...RATE_SUBSCRIBERS),
    versions: versionsOf(hasSocketIo),
    cases: casesFor(options, sites),
    bars: barsFor({ ...options, sites: options.sites.filter((kind) => isThere(sites, kind)) })
  }
}

function isThere(sites: readonly Site[], kind: InstancesOptions['sites'][number]): boolean {
  return sites.some(({ name }) => name === createSite(kind).name)
}

function versionsOf(hasSocketIo: boolean): Record<string, string> {
  const versionOfPeer = (name: string): string =>
    hasSocketIo ? versionOf(`bench/node_modules/${name}`) : LEFT_OUT
  return {
    Scherzo: versionOf('.'),
    'Node.js': process.version,
    Redis: brokerVersion('redis'),
    NATS: brokerVersion('nats'),
    'Socket.IO': versionOfPeer('socket.io'),
    '@socket.io/redis-adapter': versionOfPeer('@socket.io/redis-adapter')
  }
}
