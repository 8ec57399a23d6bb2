import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { takeAnswer } from './answer.ts'
import type { Answer } from './answer.ts'

/** A connection on which a test writes requests as they stand and reads whole responses. */
export class Wire {
  /** Settles when the connection has closed. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #wake: (() => void) | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
      this.#wake?.()
    })
    // Whoever waits for a response learns of it.
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#wake?.()
        resolve()
      })
    })
  }

  static async open(port: number): Promise<Wire> {
    return Wire.on(connect({ port, host: '127.0.0.1', noDelay: true }), 'connect')
  }

  /** The same on a connection that is being made, until the event that it is there. */
  static async on(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Wire> {
    await once(socket, event)
    return new Wire(socket)
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes, 'latin1')
  }

  /** Sends fragments one by one, as a slow client does, with a pause of so many milliseconds behind each. */
  async sendFragments(fragments: readonly string[], pause = 0): Promise<void> {
    for (const fragment of fragments) {
      await new Promise((resolve) => this.#socket.write(fragment, 'latin1', resolve))
      await sleep(pause)
    }
  }

  /** The next response; fails if the connection closes before it is whole. */
  async read(method = 'GET'): Promise<Answer> {
    for (;;) {
      const taken = takeAnswer(this.#bytes, method)
      if (taken !== null) {
        this.#bytes = taken.rest
        return taken.answer
      }
      if (this.#socket.destroyed) throw new Error(`Closed after ${JSON.stringify(String(this.#bytes))}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** What has come and was not read. */
  get unread(): Buffer {
    return this.#bytes
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** Sends one request on a connection of its own. */
export async function ask(port: number, request: string | Buffer, method = 'GET'): Promise<Answer> {
  const wire = await Wire.open(port)
  wire.send(request)
  const answer = await wire.read(method)
  wire.close()
  return answer
}

/** The head of a request without a body. */
export function get(target: string, ...headers: readonly string[]): string {
  return `GET ${target} HTTP/1.1\r\n${['Host: localhost', ...headers].map((line) => `${line}\r\n`).join('')}\r\n`
}
