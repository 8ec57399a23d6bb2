import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { readResidentMemory } from './cpu.ts'
import { LOAD_CORE } from './cores.ts'
import { type Command, startPinned, stop } from './processes.ts'
import type { Sample } from './sample.ts'
import type { RunningServer, ServerRecipe } from './server.ts'

export interface IdleLoad {
  /**
   * Opens so many connections and holds them. It sends their number through its IPC channel when they are open and
   * whenever it is asked to "count".
   */
  client: (port: number | string, connections: number) => Command
  /** In each of two steps. */
  connections: number
  settleSeconds: number
  /** Whether garbage is collected before memory is read: the server is one of `collectable`. */
  isCollected: boolean
}

const SECONDS_TO_OPEN = 60

// Enough that what is loaded and compiled on first use counts for none of the measured connections.
const WARM_UP_CONNECTIONS = 100

/**
 * The server by itself, but for its garbage, which can be collected, and a young generation that is small from the start: with
 * Node's own settings that grows to 48 MiB some time or other, and the connections that come just then seem to take it.
 */
export function collectable(recipe: ServerRecipe): ServerRecipe {
  return {
    ...recipe,
    command: (port) => {
      const [program = '', ...rest] = recipe.command(port)
      return [program, ...COLLECTABLE, ...rest]
    }
  }
}

const COLLECTABLE = ['--expose-gc', '--max-semi-space-size=1', '--import', './bench/harness/collector.ts']

/**
 * Resident memory of the server before and after many connections have had an answer each and gone idle, and after as
 * many again. Where nobody collects the garbage, what the start of a server left in its heap is used up by the first
 * connections, and its young generation grows in one step or the other. The kernel's own socket buffers are no part of any.
 */
export async function measureIdleConnections(server: RunningServer, load: IdleLoad): Promise<Sample> {
  await stop(await openConnections(server.port, { ...load, connections: WARM_UP_CONNECTIONS }))
  const before = await settledMemory(server, load)
  const firstClient = await openConnections(server.port, load)
  const between = await settledMemory(server, load)
  const secondClient = await openConnections(server.port, load)
  const after = await settledMemory(server, load)

  const open = (await countOpen(firstClient)) + (await countOpen(secondClient))
  await Promise.all([stop(firstClient), stop(secondClient)])
  if (open !== load.connections * 2)
    throw new Error(`${open} of ${load.connections * 2} connections stayed open`)
  const figures = {
    perConnection: (between - before) / load.connections,
    perNextConnection: (after - between) / load.connections,
    perConnectionOfAll: (after - before) / load.connections / 2,
    before: before / 1e6,
    between: between / 1e6,
    after: after / 1e6
  }
  return { figures, warnings: [] }
}

/** Keep-alive connections that have had one answer. */
export function idleClient(path: string): IdleLoad['client'] {
  return (port, connections) => [
    'node',
    'bench/harness/idle-client.ts',
    String(port),
    path,
    String(connections)
  ]
}

async function openConnections(port: number, load: IdleLoad): Promise<ChildProcess> {
  const command = load.client(port, load.connections)
  const client = startPinned(command, LOAD_CORE, ['ignore', 'ignore', 'inherit', 'ipc'])
  const opened = await nextMessage(client)
  if (opened !== load.connections) throw new Error(`Only ${opened} of ${load.connections} connections opened`)
  return client
}

async function settledMemory(
  server: RunningServer,
  { settleSeconds, isCollected }: IdleLoad
): Promise<number> {
  if (isCollected) process.kill(server.pid, 'SIGUSR2')
  await sleep(settleSeconds * 1000)
  return readResidentMemory(server.pid)
}

async function countOpen(client: ChildProcess): Promise<number> {
  const answer = nextMessage(client)
  client.send('count')
  return answer
}

async function nextMessage(client: ChildProcess): Promise<number> {
  const signal = AbortSignal.timeout(SECONDS_TO_OPEN * 1000)
  const answer = once(client, 'message', { signal }).then(([open]) => Number(open))
  const end = once(client, 'exit', { signal }).then(() => {
    throw new Error('The client of the idle connections ended early')
  })
  return Promise.race([answer, end])
}
