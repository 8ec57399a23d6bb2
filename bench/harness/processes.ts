import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** `node` as its first word stands for the Node.js that runs the benchmark. Paths start at the root of the checkout. */
export type Command = readonly string[]

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

const running = new Set<ChildProcess>()

/** Nothing that the benchmark started outlives it, however it ends. */
export function endChildrenOnExit(): void {
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL')
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
}

export function startPinned(command: Command, core: number, stdio: StdioOptions): ChildProcess {
  const [program = '', ...rest] = command
  const child = spawn(
    'taskset',
    ['-c', String(core), program === 'node' ? process.execPath : program, ...rest],
    // Peers have development modes that cost them speed; Scherzo's admin port may be taken.
    { cwd: root, stdio, env: { ...process.env, NODE_ENV: 'production', SCHERZO_ADMIN: 'off' } }
  )
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

/** Runs to the end and gives what was printed. Fails when that takes longer than `seconds`. */
export async function runPinned(command: Command, core: number, seconds: number): Promise<string> {
  const child = startPinned(command, core, ['ignore', 'pipe', 'pipe'])
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()))
  const deadline = setTimeout(() => child.kill('SIGKILL'), seconds * 1000)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(deadline)
  if (code !== 0) {
    throw new Error(
      `"${describe(command)}" ended with ${signal ?? code} within ${seconds} s: ${stderr}${stdout}`
    )
  }
  return stdout
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const deadline = setTimeout(() => child.kill('SIGKILL'), 3000)
  await closed
  clearTimeout(deadline)
}

/** The benchmark itself stays off the core of the server. */
export function pinSelf(core: number): void {
  spawnSync('taskset', ['-a', '-p', '-c', String(core), String(process.pid)])
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined
}

export function describe(command: Command): string {
  return command.join(' ')
}
