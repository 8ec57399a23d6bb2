import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import { SUBPROTOCOL } from '../subprotocol.ts'

/** A message of the server; of a binary one, `binary` has the hexadecimal digits. */
export interface Told {
  readonly [field: string]: unknown
  readonly id?: number
  readonly ok?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: string; readonly message: string; readonly retryAfter?: number }
  readonly channel?: string
  readonly offset?: number
}

/** A client of the channel protocol that notes what it is told. */
export class ProtocolClient {
  readonly socket: WebSocket
  readonly told: Told[] = []
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  #read = 0
  #lastId = 0
  readonly #waiting = new Set<() => void>()
  #isClosed = false

  /** @param address begins with ws: or http: */
  constructor(address: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(address.replace(/^http/, 'ws'), [SUBPROTOCOL], options)
    this.socket.on('error', () => {})
    this.socket.on('message', (data: Buffer, isBinary) => {
      this.told.push(isBinary ? { binary: data.toString('hex') } : (JSON.parse(data.toString()) as Told))
      this.#wake()
    })
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        this.#isClosed = true
        this.#wake()
        resolve({ code, reason: String(reason) })
      })
    })
  }

  static async open(address: string, options?: ClientOptions): Promise<ProtocolClient> {
    const client = new ProtocolClient(address, options)
    await once(client.socket, 'open')
    return client
  }

  /** The next message that nobody has asked for yet. */
  async next(): Promise<Told> {
    while (this.told.length === this.#read) await this.#news()
    return this.told[this.#read++]!
  }

  /** The first message, early or late, of which this is true. */
  async find(isIt: (told: Told) => unknown): Promise<Told> {
    for (;;) {
      const found = this.told.find(isIt)
      if (found !== undefined) return found
      await this.#news()
    }
  }

  /** Sends a request, and gives its answer. */
  async ask(action: string, fields: object = {}): Promise<Told> {
    const id = this.post(action, fields)
    return this.find((told) => told.id === id)
  }

  /** Sends a request, and gives its id. */
  post(action: string, fields: object = {}): number {
    const id = ++this.#lastId
    this.socket.send(JSON.stringify({ id, action, ...fields }))
    return id
  }

  #news(): Promise<void> {
    if (this.#isClosed) throw new Error(`Closed after ${JSON.stringify(this.told)}`)
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
