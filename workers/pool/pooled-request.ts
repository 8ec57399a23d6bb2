import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Job, Peer } from './messages.ts'

/** What stands in a pool thread for the client's connection, which the worker has: each request has its own. */
export class PooledSocket extends Duplex {
  readonly remoteAddress: string | undefined
  readonly remoteFamily: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly encrypted: boolean
  timeout = 0
  #timer: NodeJS.Timeout | null = null
  readonly #refuse: () => void

  /** @param refuse called when the app writes to it */
  constructor(peer: Peer, refuse: () => void) {
    super({ decodeStrings: false, allowHalfOpen: true })
    this.remoteAddress = peer.remoteAddress
    this.remoteFamily = peer.remoteFamily
    this.remotePort = peer.remotePort
    this.localAddress = peer.localAddress
    this.localPort = peer.localPort
    this.encrypted = peer.encrypted
    this.#refuse = refuse
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    this.#refuse()
    done()
  }

  override _final(done: () => void): void {
    this.#refuse()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    done(error)
  }

  address(): { address?: string; port?: number } {
    return {
      ...(this.localAddress === undefined ? {} : { address: this.localAddress }),
      ...(this.localPort === undefined ? {} : { port: this.localPort })
    }
  }

  setTimeout(milliseconds: number, listener?: () => void): this {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.timeout = milliseconds
    this.#timer = milliseconds > 0 ? setTimeout(() => this.emit('timeout'), milliseconds).unref() : null
    if (listener !== undefined) this.once('timeout', listener)
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/** The request as the app sees it: Node's own, with all of its body there. */
export class PooledRequest extends IncomingMessage {
  constructor(job: Job, socket: PooledSocket) {
    super(socket as unknown as Socket)
    const [major = '1', minor = '1'] = job.httpVersion.split('.')
    this.httpVersion = job.httpVersion
    this.httpVersionMajor = Number(major)
    this.httpVersionMinor = Number(minor)
    this.method = job.method
    this.url = job.url
    this.rawHeaders = job.rawHeaders as string[]
    this.headers = job.headers
    if (job.trailers !== null) {
      this.rawTrailers = job.trailers.raw as string[]
      this.trailers = job.trailers.values
    }
    if (job.body !== null) this.push(Buffer.from(job.body.buffer, job.body.byteOffset, job.body.byteLength))
    this.push(null)
    this.complete = true
  }

  /** The client has gone away: what Node does to a request whose connection ends. */
  abort(): void {
    if (this.destroyed) return
    this.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
  }
}

// Node's own count the lines that its parser gave them.
Object.defineProperties(PooledRequest.prototype, {
  headersDistinct: {
    configurable: true,
    get(this: PooledRequest): NodeJS.Dict<string[]> {
      return distinct(this.rawHeaders)
    }
  },
  trailersDistinct: {
    configurable: true,
    get(this: PooledRequest): NodeJS.Dict<string[]> {
      return distinct(this.rawTrailers)
    }
  }
})

function distinct(raw: readonly string[]): NodeJS.Dict<string[]> {
  const values = Object.create(null) as NodeJS.Dict<string[]>
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase()
    ;(values[name] ??= []).push(raw[index + 1]!)
  }
  return values
}
