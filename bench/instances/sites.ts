import type { Protocol } from '../harness/dialogue.ts'
import type { ServerRecipe } from '../harness/server.ts'
import type { Command } from '../harness/processes.ts'
import { type BrokerKind, type RunningBroker, startBroker } from './brokers.ts'

export const siteKinds = ['redis', 'nats', 'socket.io'] as const
export type SiteKind = (typeof siteKinds)[number]

export const SCHERZO_REDIS = 'Scherzo, Redis'
export const SCHERZO_NATS = 'Scherzo, NATS'
export const SOCKET_IO_REDIS = 'Socket.IO, Redis'

type Role = 'publisher' | 'fan-out'

/** Two instances of a server and the broker between them. As a server it is the instance with the subscribers. */
export class Site implements ServerRecipe {
  readonly name: string
  readonly protocol: Protocol
  readonly broker: BrokerKind
  readonly #commandOf: (role: Role, broker: string, port: number) => Command
  #running: RunningBroker | null = null

  constructor(
    name: string,
    protocol: Protocol,
    broker: BrokerKind,
    commandOf: (role: Role, broker: string, port: number) => Command
  ) {
    this.name = name
    this.protocol = protocol
    this.broker = broker
    this.#commandOf = commandOf
  }

  get running(): RunningBroker {
    if (this.#running === null) throw new Error(`The broker of "${this.name}" does not run`)
    return this.#running
  }

  readonly prepare = async (): Promise<() => Promise<void>> => {
    const broker = await startBroker(this.broker)
    this.#running = broker
    return () => broker.stop()
  }

  readonly command = (port: number): Command => this.#commandOf('fan-out', this.running.address, port)

  /** The instance that publishes. */
  get publisher(): ServerRecipe {
    return {
      name: `${this.name}, the publisher`,
      command: (port) => this.#commandOf('publisher', this.running.address, port)
    }
  }
}

export function createSite(kind: SiteKind): Site {
  if (kind === 'socket.io') return new Site(SOCKET_IO_REDIS, 'socket.io', 'redis', socketIo)
  return new Site(kind === 'redis' ? SCHERZO_REDIS : SCHERZO_NATS, 'websocket', kind, scherzo)
}

function scherzo(role: Role, broker: string, port: number): Command {
  const serve = `node workers/command-line.ts serve bench/apps/instance-${role}.ts --workers 1`
  return `${serve} --port ${port} --broker ${broker}`.split(' ')
}

function socketIo(role: Role, broker: string, port: number): Command {
  return ['node', 'bench/peers/socket-io-redis.js', role, broker, String(port)]
}
