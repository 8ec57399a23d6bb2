import { fileURLToPath } from 'node:url'
import { type Child, startServing } from '../testing/child.ts'

const app = fileURLToPath(new URL('../testing/hopping-app.ts', import.meta.url))

/** An instance that can be ended and started again, on another port each time. */
export class Instance {
  readonly #broker: string
  #child: Child | null = null
  /** Null while it is away. */
  port: number | null = null

  constructor(broker: string) {
    this.#broker = broker
  }

  async start(): Promise<void> {
    const settings = ['--workers', '2', '--drain-timeout', '1', '--broker', this.#broker]
    const { child, port } = await startServing([app, ...settings])
    this.#child = child
    this.port = port
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    this.port = null
    this.#child?.signal(signal)
    await this.#child?.ended
  }
}

/** Two of them, behind a load balancer that knows who is there. */
export class Pair {
  readonly instances: readonly [Instance, Instance]
  #restarts = 0

  constructor(broker: string) {
    this.instances = [new Instance(broker), new Instance(broker)]
  }

  async start(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.start()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.stop('SIGKILL')))
  }

  /** First each of them drains, then each is killed, and so on. */
  async restartNext(): Promise<void> {
    const instance = this.instances[(this.#restarts % 2) as 0 | 1]
    const signal = this.#restarts % 4 < 2 ? 'SIGTERM' : 'SIGKILL'
    this.#restarts++
    await instance.stop(signal)
    await instance.start()
  }

  /** Of one of those that are there, by chance; null: none is. */
  anyPort(): number | null {
    const ports = this.instances.flatMap(({ port }) => port ?? [])
    return ports[Math.floor(Math.random() * ports.length)] ?? null
  }
}
