import type { Protocol } from '../harness/dialogue.ts'
import { versionOf } from '../harness/machine.ts'
import type { ServerRecipe } from '../harness/server.ts'

export const broadcasterKinds = ['scherzo', 'bun', 'ws', 'fastify', 'socket.io'] as const
export type BroadcasterKind = (typeof broadcasterKinds)[number]

export const SCHERZO = 'Scherzo'
export const BUN = 'Bun'
export const WS = 'ws'

/** Servers that publish to WebSockets. */
export interface Broadcaster extends ServerRecipe {
  protocol: Protocol
}

/** What bench/package.json pins, as far as it is asked for and could be installed. */
export interface Installed {
  bunProgram: string | null
  hasSocketIo: boolean
}

/** Without the programs that could not be installed. */
export function broadcasters(
  kinds: readonly BroadcasterKind[],
  { bunProgram, hasSocketIo }: Installed
): Broadcaster[] {
  const all: Record<BroadcasterKind, Broadcaster | null> = {
    scherzo: scherzo(SCHERZO),
    bun: bunProgram === null ? null : onWebSockets(BUN, bunProgram, 'bun-broadcast.js'),
    ws: onWebSockets(WS, 'node', 'ws-broadcast.ts'),
    fastify: onWebSockets('@fastify/websocket', 'node', 'fastify-websocket.ts'),
    'socket.io': hasSocketIo
      ? { ...onWebSockets('Socket.IO', 'node', 'socket-io.js'), protocol: 'socket.io' }
      : null
  }
  return broadcasterKinds
    .filter((kind) => kinds.includes(kind))
    .map((kind) => all[kind])
    .filter((broadcaster) => broadcaster !== null)
}

export function scherzo(name: string, workers = 1, ...settings: readonly string[]): Broadcaster {
  return { name, protocol: 'websocket', command: serveCommand('broadcast', workers, settings) }
}

/** With the app of this name. */
export function scherzoWith(app: string, name: string, protocol: Protocol = 'websocket'): Broadcaster {
  return { name, protocol, command: serveCommand(app, 1) }
}

export function broadcasterVersions({ bunProgram, hasSocketIo }: Installed): Record<string, string> {
  const leftOut = 'left out, not asked for or not to be installed'
  return {
    [SCHERZO]: versionOf('.'),
    'Node.js': process.version,
    [BUN]: bunProgram === null ? leftOut : versionOf('bench/node_modules/bun'),
    [WS]: versionOf('node_modules/ws'),
    '@fastify/websocket': versionOf('node_modules/@fastify/websocket'),
    'Socket.IO': hasSocketIo ? versionOf('bench/node_modules/socket.io') : leftOut
  }
}

function serveCommand(
  app: string,
  workers: number,
  settings: readonly string[] = []
): Broadcaster['command'] {
  const serve = `node workers/command-line.ts serve bench/apps/${app}.ts`
  return (port) => [...`${serve} --port ${port} --workers ${workers}`.split(' '), ...settings]
}

function onWebSockets(name: string, program: string, file: string): Broadcaster {
  return { name, protocol: 'websocket', command: (port) => [program, `bench/peers/${file}`, String(port)] }
}
