import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Pair } from './pair.ts'

/** What the server sends, as far as it is looked at. */
export interface Told {
  readonly connected?: object
  readonly channel?: string
  readonly offset?: number
  readonly data?: string
  readonly id?: number
  readonly ok?: { readonly epoch: string; readonly offset: number }
  readonly error?: { readonly code: string }
}

/** In milliseconds. */
const LONGEST_PAUSE = 300

/** Somebody who speaks scherzo.v1 with one instance after the other. */
export abstract class Visitor {
  readonly #pair: Pair
  #socket: WebSocket | null = null
  #isOver = false
  visits = 0

  constructor(pair: Pair) {
    this.#pair = pair
  }

  /** Visits instances until it is ended. */
  async run(): Promise<void> {
    while (!this.#isOver) {
      const port = this.#pair.anyPort()
      if (port !== null) await this.#visit(port)
      if (!this.#isOver) await sleep(Math.random() * LONGEST_PAUSE)
    }
  }

  /** Goes away without a word, to come back somewhere. */
  hop(): void {
    this.#socket?.terminate()
  }

  end(): void {
    this.#isOver = true
    this.hop()
  }

  protected say(request: object): void {
    this.#socket?.send(JSON.stringify(request))
  }

  protected abstract take(told: Told): void

  protected leave(): void {}

  async #visit(port: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`, 'scherzo.v1', { perMessageDeflate: false })
    this.#socket = socket
    const closed = new Promise((resolve) => socket.once('close', resolve))
    // Whoever is refused, or cut off, tries another time.
    socket.on('error', () => {})
    socket.on('message', (data) => {
      if (socket.readyState === WebSocket.OPEN) this.take(JSON.parse(String(data)) as Told)
    })
    await closed
    this.visits++
    this.leave()
  }
}
