import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { dirname, delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How a child process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface ChildOptions {
  readonly cwd?: string
  /** Added to an environment in which nothing sets up Scherzo, npm or the test runner. */
  readonly env?: Readonly<Record<string, string>>
}

/** A safety net, in milliseconds: no test waits for it. */
const TIMEOUT = 180_000

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
// Whoever stops the tests stops what they started.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1))

/** A child process whose output a test reads. */
export class Child {
  /** Settles when it has ended and nothing that it started holds its output open. */
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #hasEnded = false
  readonly #waiting = new Set<() => void>()

  constructor(command: string, args: readonly string[], { cwd, env = {} }: ChildOptions = {}) {
    const child = spawn(command, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT,
      killSignal: 'SIGKILL'
    })
    this.#child = child
    running.add(child)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#wake()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        running.delete(child)
        this.#hasEnded = true
        this.#wake()
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  /** Waits until its output matches; fails if it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout)
      if (match !== null) return match
      if (this.#hasEnded) throw new Error(`It ended without ${pattern}:\n${this.#stdout}${this.#stderr}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  /** Waits until its output has a text so many times; fails if it ends before. */
  async printedTimes(text: string, times: number): Promise<void> {
    while (this.#stdout.split(text).length <= times) {
      if (this.#hasEnded)
        throw new Error(`It ended without ${times} times ${text}:\n${this.#stdout}${this.#stderr}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

/** The command line, run from source. */
export function startScherzo(args: readonly string[], options?: ChildOptions): Child {
  const commandLine = fileURLToPath(new URL('../command-line.ts', import.meta.url))
  return new Child(process.execPath, [commandLine, ...args], options)
}

/** Starts `scherzo serve` on a free port and waits for its address. */
export async function startServing(
  args: readonly string[],
  options?: ChildOptions
): Promise<{ child: Child; address: string; port: number; pid: number }> {
  const child = startScherzo(['serve', ...args, '--port', '0'], options)
  const { address, port } = await addressOf(child)
  return { child, address, port, pid: child.pid }
}

/** What a child prints when it serves. */
export async function addressOf(child: Child): Promise<{ address: string; port: number }> {
  const [, address = '', port = ''] = await child.printed(/ at (https?:\S+:(\d+)) /)
  return { address, port: Number(port) }
}

/** npm and the test runner set variables for their children, and a test's child is neither. */
function cleanEnvironment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|SCHERZO_|CHOPIN_|HOST$|PORT$|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/.test(name)
  )
  // What runs `node` gets the one that runs the test.
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  // Servers that run side by side would fight for the port of the admin server.
  return { ...Object.fromEntries(kept), PATH: path, SCHERZO_ADMIN: 'off' }
}
