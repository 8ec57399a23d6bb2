import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** Where Debian puts nats-server is not on everybody's path. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Whether a server can be started here; says so where it can't. With CI=true that is an error. */
export function hasServer(command: 'redis-server' | 'nats-server'): boolean {
  const { error } = spawnSync(command, ['--version'], { env })
  if (error === undefined) return true
  const message = `The tests of ${command} are left out: install the Debian package ${command}`
  if (process.env['CI'] === 'true') throw new Error(message)
  console.log(message)
  return false
}

/** A server of its own for a test, on a free port, with its files in a temporary folder. */
export class TestServer {
  readonly port: number
  readonly folder: string
  readonly #command: string
  readonly #args: readonly string[]
  #child: ChildProcess | null = null

  constructor(command: string, port: number, folder: string, args: readonly string[]) {
    this.#command = command
    this.port = port
    this.folder = folder
    this.#args = args
  }

  /** Resolves when it can be connected to. */
  async start(): Promise<void> {
    const child = spawn(this.#command, this.#args, { cwd: this.folder, stdio: 'ignore', env })
    running.add(child)
    this.#child = child
    while (!(await isListening(this.port))) {
      if (child.exitCode !== null) throw new Error(`${this.#command} ended with code ${child.exitCode}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // One that is halted hears of nothing else.
    child.kill('SIGCONT')
    child.kill(signal)
    await ended
    running.delete(child)
  }

  halt(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }
}

/** @param more arguments of its own, behind ours */
export async function startRedis(t: TestContext, ...more: readonly string[]): Promise<TestServer> {
  const port = await freePort()
  const folder = temporaryFolder(t)
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  return startServer(t, new TestServer('redis-server', port, folder, [...args, '--daemonize', 'no', ...more]))
}

/** A Redis that follows another one. What it has of it is for the test to wait for. */
export function startReplica(t: TestContext, { port }: TestServer): Promise<TestServer> {
  return startRedis(t, '--replicaof', '127.0.0.1', String(port), ...QUICK_SYNC)
}

/** A master waits for other replicas otherwise. */
const QUICK_SYNC = ['--repl-diskless-sync-delay', '0'] as const

/**
 * A cluster of so many masters, and as many replicas of each.
 *
 * @returns the masters first
 */
export async function startRedisCluster(
  t: TestContext,
  masters: number,
  replicas: number = 0
): Promise<TestServer[]> {
  const nodes = []
  for (let index = 0; index < masters * (1 + replicas); index++) {
    const bus = await freePort()
    nodes.push(
      await startRedis(
        t,
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        String(bus),
        '--cluster-node-timeout',
        replicas === 0 ? '2000' : '1000',
        ...QUICK_SYNC
      )
    )
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  const args = ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes']
  const made = spawnSync('redis-cli', args, { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`${made.stdout}${made.stderr}`)
  return nodes
}

/** A sentinel that watches a master, which it calls "main". */
export async function startSentinel(t: TestContext, master: TestServer): Promise<TestServer> {
  const port = await freePort()
  const folder = temporaryFolder(t)
  const config = join(folder, 'sentinel.conf')
  writeFileSync(
    config,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000'
    ].join('\n')
  )
  return startServer(t, new TestServer('redis-server', port, folder, [config, '--sentinel']))
}

export async function startNats(t: TestContext, ...more: readonly string[]): Promise<TestServer> {
  const port = await freePort()
  const folder = temporaryFolder(t)
  const config = join(folder, 'nats.conf')
  writeFileSync(
    config,
    `max_payload: 8388608\njetstream { store_dir: "${folder}/store" }\n${more.join('\n')}\n`
  )
  const args = ['-c', config, '-a', '127.0.0.1', '-p', String(port)]
  return startServer(t, new TestServer('nats-server', port, folder, args))
}

const closers = new WeakMap<TestContext, (() => Promise<void>)[]>()

/** What is connected to a server closes before that stops at the end of the test: it would try to come back. */
export function closeFirst(t: TestContext, close: () => Promise<void>): void {
  const known = closers.get(t)
  if (known === undefined) t.after(close)
  else known.push(close)
}

async function startServer(t: TestContext, server: TestServer): Promise<TestServer> {
  const own = closers.get(t) ?? []
  closers.set(t, own)
  t.after(async () => {
    await Promise.all(own.splice(0).map((close) => close()))
    await server.stop('SIGKILL')
  })
  await server.start()
  return server
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'scherzo-broker-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
