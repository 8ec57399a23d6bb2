import type { ChildProcess } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, checkAnswers } from './answers.ts'
import { SERVER_CORE } from './cores.ts'
import { type Command, startPinned, stop } from './processes.ts'

export interface ServerRecipe {
  name: string
  command: (port: number) => Command
  /** Starts what has to be there before it, such as a broker. Gives what ends that, to be called when the server has ended. */
  prepare?: () => Promise<() => Promise<void>>
}

export interface RunningServer {
  name: string
  port: number
  pid: number
  stop: () => Promise<void>
}

const START_SECONDS = 20

/** Every measurement has a fresh process. It is handed over once it has given the right answers. */
export async function startServer(
  recipe: ServerRecipe,
  answers: readonly Answer[],
  core: number = SERVER_CORE
): Promise<RunningServer> {
  const clear = (await recipe.prepare?.()) ?? (async () => {})
  const port = await findPort()
  const child = startPinned(recipe.command(port), core, ['ignore', 'ignore', 'pipe'])
  const end = (): Promise<void> => stop(child).finally(clear)
  const errors = keepTail(child)
  try {
    await untilListening(child, port)
    await checkAnswers(port, answers)
  } catch (cause) {
    await end()
    throw new Error(`${recipe.name} cannot be measured: ${String(cause)} ${errors()}`, { cause })
  }
  return { name: recipe.name, port, pid: child.pid ?? 0, stop: end }
}

// Below the ports that the kernel gives to clients, so that no connection of a load generator can be in the way.
let nextPort = 21_000

export async function findPort(): Promise<number> {
  while (!(await isFree(++nextPort)));
  return nextPort
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
  })
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1000
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode} before it listened.`)
    if (Date.now() > deadline) throw new Error(`It does not listen after ${START_SECONDS} s.`)
    await sleep(50)
  }
}

/** A server may open its port to try it before it listens, so one that accepts has to answer, too. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'))
    socket.once('data', () => {
      resolve(true)
      socket.destroy()
    })
  })
}

function keepTail(child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.on('data', (data: Buffer) => {
    tail = (tail + data.toString()).slice(-2000)
  })
  return () => tail
}
