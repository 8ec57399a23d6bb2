import { readResidentMemory } from './cpu.ts'

const INTERVAL = 20

/** The most resident memory that a process has while it is watched, in bytes. */
export class MemoryPeak {
  readonly before: number
  #peak: number
  readonly #timer: NodeJS.Timeout

  constructor(pid: number) {
    this.before = readResidentMemory(pid)
    this.#peak = this.before
    this.#timer = setInterval(() => (this.#peak = Math.max(this.#peak, readResidentMemory(pid))), INTERVAL)
  }

  stop(): number {
    clearInterval(this.#timer)
    return this.#peak
  }
}
