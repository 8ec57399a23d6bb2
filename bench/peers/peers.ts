import { versionOf } from '../harness/machine.ts'
import type { ServerRecipe } from '../harness/server.ts'

export const SCHERZO = 'Scherzo'
export const FASTIFY = 'Fastify'
export const NODE_HTTP = 'node:http'
export const BUN = 'Bun'

export const scherzo: ServerRecipe = {
  name: SCHERZO,
  command: (port) =>
    `node workers/command-line.ts serve bench/apps/scherzo.ts --port ${port} --workers 1`.split(' ')
}

export const fastify: ServerRecipe = {
  name: FASTIFY,
  command: (port) => ['node', 'bench/peers/fastify.ts', String(port)]
}

export const nodeHttp: ServerRecipe = {
  name: NODE_HTTP,
  command: (port) => ['node', 'bench/peers/node-http.ts', String(port)]
}

export function bun(program: string): ServerRecipe {
  return { name: BUN, command: (port) => [program, 'bench/peers/bun.js', String(port)] }
}

export function peerVersions(bunProgram: string | null): Record<string, string> {
  return {
    [SCHERZO]: versionOf('.'),
    [FASTIFY]: versionOf('node_modules/fastify'),
    'Node.js': process.version,
    [BUN]: bunProgram === null ? 'left out, it could not be installed' : versionOf('bench/node_modules/bun')
  }
}
