import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** What became of the requests of a {@link SteadyLoad}. */
export interface LoadResult {
  readonly answered: number
  /** Connections that were opened. */
  readonly connections: number
  /** Responses that were not what was asked for. */
  readonly wrong: readonly string[]
  /** Requests on a connection that had had answers before: the thread of these. */
  readonly lostOnThread: readonly string[]
  /** First requests of connections that closed or were reset without a byte. */
  readonly lostAtOpening: number
  /** Connections that were refused. */
  readonly refused: number
}

/** One connection that asks again and again, opening itself anew when the server ends it. */
interface Asker {
  /** How many requests it makes on a connection. */
  readonly perConnection: number
}

/** Requests that follow one another on kept-alive and on new connections, each answer checked. */
export class SteadyLoad {
  readonly #port: number
  readonly #askers: Promise<void>[]
  #isOver = false
  #next = 0
  #answered = 0
  #connections = 0
  #lostAtOpening = 0
  #refused = 0
  readonly #wrong: string[] = []
  readonly #lostOnThread: string[] = []

  constructor(port: number, { kept, fresh }: { readonly kept: number; readonly fresh: number }) {
    this.#port = port
    const askers: Asker[] = [
      ...Array.from({ length: kept }, () => ({ perConnection: Infinity })),
      ...Array.from({ length: fresh }, () => ({ perConnection: 1 }))
    ]
    this.#askers = askers.map((asker) => this.#run(asker))
  }

  get answered(): number {
    return this.#answered
  }

  async stop(): Promise<LoadResult> {
    this.#isOver = true
    await Promise.all(this.#askers)
    return {
      answered: this.#answered,
      connections: this.#connections,
      wrong: this.#wrong,
      lostOnThread: this.#lostOnThread,
      lostAtOpening: this.#lostAtOpening,
      refused: this.#refused
    }
  }

  async #run({ perConnection }: Asker): Promise<void> {
    while (!this.#isOver) {
      const socket = await this.#open()
      if (socket === null) continue
      await this.#ask(socket, perConnection)
      socket.destroy()
    }
  }

  async #open(): Promise<Socket | null> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    if (isOpen) this.#connections++
    else this.#refused++
    return isOpen ? socket.on('error', () => {}) : null
  }

  async #ask(socket: Socket, perConnection: number): Promise<void> {
    let thread: string | null = null
    for (let count = 0; count < perConnection && !this.#isOver; count++) {
      const id = this.#next++
      const response = await exchange(socket, `GET /item/${id} HTTP/1.1\r\nHost: a\r\n\r\n`)
      if (response === '') {
        if (thread === null) this.#lostAtOpening++
        else this.#lostOnThread.push(thread)
        return
      }
      const [, head = '', body] = /^([^]*?)\r\n\r\n([^]*)$/.exec(response) ?? []
      if (!head.startsWith('HTTP/1.1 200 ') || body !== `item ${id}`) this.#wrong.push(response)
      this.#answered++
      thread = /^x-thread: (\d+)/m.exec(head)?.[1] ?? 'unknown'
      if (/^connection: close/im.test(head)) return
    }
  }
}

/** Sends a request and reads its response, which has a Content-Length; the empty string if there is none. */
function exchange(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const onData = (chunk: Buffer): void => {
      received += chunk.toString('latin1')
      const [head, length] = /^[^]*?\r\ncontent-length: (\d+)\r\n[^]*?\r\n\r\n/i.exec(received) ?? []
      if (head !== undefined && received.length >= head.length + Number(length)) settle()
    }
    const settle = (): void => {
      socket.off('data', onData).off('close', settle)
      resolve(received)
    }
    socket.on('data', onData).on('close', settle)
    if (socket.destroyed) settle()
    else socket.write(request)
  })
}
