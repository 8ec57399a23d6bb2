import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A connection on which a test writes bytes as they stand and reads what comes back. */
export class RawClient {
  readonly socket: Socket
  /** Settles when the connection has closed, with everything received. */
  readonly closed: Promise<string>
  #received = ''
  #waiting: (() => void) | null = null

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#received += text
      this.#waiting?.()
    })
    // How the other side closes is for the test to judge by what it received.
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#waiting?.()
        resolve(this.#received)
      })
    })
  }

  static async open(port: number): Promise<RawClient> {
    return RawClient.on(connect({ port, host: '127.0.0.1', noDelay: true }), 'connect')
  }

  /** The same on a connection that is being made, until the event that it is there. */
  static async on(socket: Socket, event: 'connect' | 'secureConnect'): Promise<RawClient> {
    const client = new RawClient(socket)
    await new Promise((resolve, reject) => {
      socket.once(event, resolve).once('error', reject)
    })
    return client
  }

  get received(): string {
    return this.#received
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Waits until what was received so far matches, or the connection closes. */
  async receive(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received) && !this.socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
    return this.#received
  }

  close(): void {
    this.socket.destroy()
  }
}
