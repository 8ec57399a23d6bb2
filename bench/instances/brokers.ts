import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LOAD_CORE } from '../harness/cores.ts'
import { type Command, startPinned, stop } from '../harness/processes.ts'
import { findPort } from '../harness/server.ts'

export const brokerKinds = ['redis', 'nats'] as const
export type BrokerKind = (typeof brokerKinds)[number]

export interface RunningBroker {
  /** As Scherzo's --broker takes it. */
  address: string
  pid: number
  stop: () => Promise<void>
}

const SECONDS_TO_START = 10

/** Debian has nats-server where only root looks. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin']

/** The broker's program, or null where it is not installed. */
export function brokerProgram(kind: BrokerKind): string | null {
  const programs = FOLDERS.map((folder) => join(folder, `${kind}-server`))
  return programs.find((program) => existsSync(program)) ?? null
}

/** What the report says of it. */
export function brokerVersion(kind: BrokerKind): string {
  const program = brokerProgram(kind)
  if (program === null)
    return `left out, it is not installed: install it, for example with "apt-get install ${kind}-server"`
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return /v=?(\d[\d.]*)/.exec(stdout)?.[1] ?? stdout.trim()
}

/** A broker of its own on a free port, on the core of the load, with its files in a temporary folder. */
export async function startBroker(kind: BrokerKind): Promise<RunningBroker> {
  const port = await findPort()
  const folder = mkdtempSync(join(tmpdir(), 'scherzo-bench-'))
  const child = startPinned(commands[kind](port, folder), LOAD_CORE, ['ignore', 'ignore', 'inherit'])
  const end = (): Promise<void> =>
    stop(child).finally(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  try {
    await untilAccepting(port)
  } catch (error) {
    await end()
    throw error
  }
  return { address: `${kind}://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: end }
}

const commands: Record<BrokerKind, (port: number, folder: string) => Command> = {
  redis: (port, folder) => [
    brokerProgram('redis') ?? '',
    ...`--port ${port} --bind 127.0.0.1 --dir ${folder} --save`.split(' '),
    '',
    ...'--loglevel warning --logfile redis.log'.split(' ')
  ],
  nats: (port, folder) => {
    const config = join(folder, 'nats.conf')
    writeFileSync(config, `jetstream { store_dir: "${folder}/store" }\nlog_file: "${folder}/nats.log"\n`)
    return [brokerProgram('nats') ?? '', '-c', config, '-a', '127.0.0.1', '-p', String(port)]
  }
}

async function untilAccepting(port: number): Promise<void> {
  const deadline = performance.now() + SECONDS_TO_START * 1000
  while (!(await accepts(port))) {
    if (performance.now() > deadline)
      throw new Error(`The broker does not listen after ${SECONDS_TO_START} s`)
    await sleep(20)
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
