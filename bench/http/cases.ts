import { autocannonCommand, measureWithAutocannon } from '../harness/autocannon.ts'
import type { Case } from '../harness/case.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import { collectable, idleClient, measureIdleConnections } from '../harness/idle-connections.ts'
import { type Command, describe } from '../harness/processes.ts'
import type { ServerRecipe } from '../harness/server.ts'
import { measureWithWrk, wrkCommand, type WrkLoad } from '../harness/wrk.ts'
import { BUN } from '../peers/peers.ts'
import { jsonAnswer, plaintextAnswer, userAnswers } from './answers.ts'
import { loadColumns, loadCompared, memoryColumns, memoryCompared, pipelinedColumns } from './columns.ts'
import type { CaseKind, Options, ServerKind } from './options.ts'

export type Servers = Partial<Record<ServerKind, ServerRecipe>>

const CONNECTIONS = 64
const PIPELINED = 16
/** Twice, one after the other. */
export const IDLE_CONNECTIONS = 8000
const SETTLE_SECONDS = 3

export const jsonCase: string = `JSON, ${CONNECTIONS} connections`
export const mountedCase: string = `Mounted Fastify route, ${CONNECTIONS} connections`

export function plaintextCase(connections: number): string {
  return `Plaintext, ${connections} connections, ${PIPELINED} pipelined`
}

export function casesFor(options: Options, servers: Servers): Case[] {
  return options.only.flatMap((kind) => builders[kind](options, servers))
}

const builders: Record<CaseKind, (options: Options, servers: Servers) => Case[]> = {
  plaintext: (options, servers) =>
    options.connections.map((connections) => ({
      ...wrkCase(options, { path: plaintextAnswer.path, connections, pipelined: PIPELINED }),
      name: plaintextCase(connections),
      point: {
        curve: `Plaintext, ${PIPELINED} pipelined, requests/s`,
        x: connections,
        xTitle: 'connections'
      },
      answers: [plaintextAnswer, jsonAnswer],
      servers: listServers(servers)
    })),

  json: (options, servers) => [
    {
      ...wrkCase(options, { path: jsonAnswer.path, connections: CONNECTIONS, pipelined: 1 }),
      name: jsonCase,
      answers: [plaintextAnswer, jsonAnswer],
      servers: listServers(servers)
    }
  ],

  mounted: (options, servers) => [
    {
      ...wrkCase(options, { path: userAnswers[0].path, connections: CONNECTIONS, pipelined: 1 }),
      name: mountedCase,
      answers: userAnswers,
      servers: listServers({ scherzo: servers.scherzo, fastify: servers.fastify })
    }
  ],

  autocannon: (options, servers) => {
    const load = {
      path: jsonAnswer.path,
      connections: CONNECTIONS,
      warmUpSeconds: options.warmUp,
      seconds: options.seconds
    }
    return [
      {
        name: `${jsonCase}, autocannon`,
        load: pinned(autocannonCommand(load, 'PORT', options.seconds)),
        answers: [plaintextAnswer, jsonAnswer],
        servers: listServers(servers),
        columns: loadColumns,
        compared: loadCompared,
        measure: (server) => measureWithAutocannon(server, load)
      }
    ]
  },

  memory: (_options, servers) => {
    const load = {
      client: idleClient(plaintextAnswer.path),
      connections: IDLE_CONNECTIONS,
      settleSeconds: SETTLE_SECONDS
    }
    const each = {
      load: pinned(load.client('PORT', IDLE_CONNECTIONS)),
      answers: [plaintextAnswer, jsonAnswer],
      columns: memoryColumns,
      compared: memoryCompared
    }
    const all = listServers(servers)
    return [
      {
        ...each,
        name: `Memory, ${IDLE_CONNECTIONS} idle connections`,
        servers: all,
        measure: (server) => measureIdleConnections(server, { ...load, isCollected: false })
      },
      {
        ...each,
        name: `Memory without garbage, ${IDLE_CONNECTIONS} idle connections`,
        servers: all.filter(({ name }) => name !== BUN).map(collectable),
        measure: (server) => measureIdleConnections(server, { ...load, isCollected: true })
      }
    ]
  }
}

function wrkCase(
  options: Options,
  what: Pick<WrkLoad, 'path' | 'connections' | 'pipelined'>
): Pick<Case, 'load' | 'columns' | 'compared' | 'measure'> {
  const load: WrkLoad = {
    ...what,
    warmUpSeconds: options.warmUp,
    seconds: options.seconds
  }
  return {
    load: pinned(wrkCommand(load, 'PORT', 'PID')),
    columns: what.pipelined === 1 ? loadColumns : pipelinedColumns,
    compared: loadCompared,
    measure: (server) => measureWithWrk(server, load)
  }
}

function listServers(servers: { [kind in ServerKind]?: ServerRecipe | undefined }): ServerRecipe[] {
  return [servers.scherzo, servers.fastify, servers.node, servers.bun].filter(
    (server) => server !== undefined
  )
}

function pinned(command: Command): string {
  return `taskset -c ${LOAD_CORE} ${describe(command)}`
}
