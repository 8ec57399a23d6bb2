import { STATUS_CODES } from 'node:http'
import type { MessagePort } from 'node:worker_threads'
import { ScherzoError } from '../../core/errors.ts'
import type { CostMeter, Metered } from './cost-meter.ts'
import type { Body, Job, Result, Tail, ThreadMessage } from './messages.ts'
import { PooledRequest, PooledSocket } from './pooled-request.ts'
import { PooledResponse } from './pooled-response.ts'
import type { Outlet, Piece } from './pooled-response.ts'

/** What may be under way to a client, in bytes, before the app is told to wait. */
const WINDOW = 262_144

/** One request in a pool thread: gets its response to the worker, in one message where it can. */
export class Exchange implements Outlet, Metered {
  readonly id: number
  readonly request: PooledRequest
  readonly response: PooledResponse
  /** Settles when the response is through, or given up. */
  readonly result: Promise<Result>
  cost = 0
  readonly #port: MessagePort
  readonly #meter: CostMeter
  readonly #settle: (result: Result) => void
  #pieces: Piece[] = []
  /** Whether the worker has the head. */
  #isStreaming = false
  /** Whether the port was used, so that the rest has to stay behind what it carries. */
  #usedPort = false
  #isSettled = false
  #isAborted = false
  #isFlushDue = false
  /** Bytes that the worker has not taken yet. */
  #pending = 0
  #resume: (() => void) | null = null

  constructor(job: Job, port: MessagePort, meter: CostMeter) {
    this.id = job.id
    this.#port = port
    this.#meter = meter
    const { promise, resolve } = Promise.withResolvers<Result>()
    this.result = promise
    this.#settle = resolve
    const socket = new PooledSocket(job.peer, () => this.#refuseSocket())
    this.request = new PooledRequest(job, socket)
    this.response = new PooledResponse(this.request, job.keepAlive, this)
    // Whoever ends the connection ends the response with it.
    socket.on('close', () => this.response.abort())
    socket.on('error', ignore)
  }

  /** The client has gone away. */
  abort(): void {
    this.#isAborted = true
    this.response.abort()
  }

  taken(bytes: number): void {
    this.#pending -= bytes
    if (this.#pending >= WINDOW || this.#resume === null) return
    const resume = this.#resume
    this.#resume = null
    resume()
  }

  inform(status: number, lines: string[]): void {
    this.#usedPort = true
    this.#post({ type: 'information', id: this.id, status, lines })
  }

  accept(pieces: readonly Piece[], done: () => void): void {
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.#pending += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
    }
    // What is ended at once goes in one message, whatever its size: it is all in memory already.
    if (this.response.isEnding || this.response.writableEnded) return done()
    if (this.#isStreaming || this.#pending >= WINDOW) this.#flush()
    else this.#flushLater()
    if (this.#pending < WINDOW) done()
    else this.#resume = done
  }

  finish(): void {
    if (this.#isSettled) return
    this.#meter.end(this)
    const { head, trailers } = this.response
    const tail: Tail = { body: this.#takeBody(), trailers }
    if (head === null) return this.#end(null)
    if (!this.#usedPort) return this.#end({ head, tail })
    if (this.#isStreaming) this.#post({ type: 'end', id: this.id, tail }, tail.body)
    else this.#post({ type: 'whole', id: this.id, head, tail }, tail.body)
    this.#end(null)
  }

  close(): void {
    if (this.#isSettled) return
    this.#meter.end(this)
    if (!this.#isAborted) this.#post({ type: 'cut', id: this.id })
    this.#end(null)
  }

  #end(whole: Result['whole']): void {
    this.#isSettled = true
    this.#resume = null
    this.#settle({ cost: this.cost, whole })
  }

  /** Most responses are ended in the turn in which they begin. */
  #flushLater(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => {
      if (!this.#isSettled) this.#flush()
    })
  }

  #flush(): void {
    const { head } = this.response
    if (head === null) return
    const body = this.#takeBody()
    this.#usedPort = true
    if (!this.#isStreaming) {
      this.#isStreaming = true
      this.#post({ type: 'head', id: this.id, head, body }, body)
    } else if (body !== null) {
      this.#post({ type: 'data', id: this.id, body }, body)
    }
  }

  #takeBody(): Body | null {
    const pieces = this.#pieces
    this.#pieces = []
    const [first] = pieces
    if (first === undefined) return null
    if (pieces.length === 1) return typeof first === 'string' ? first : copyOf([first])
    return copyOf(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
  }

  #post(message: ThreadMessage, body: Body | null = null): void {
    this.#port.postMessage(message, body === null || typeof body === 'string' ? [] : [body.buffer])
  }

  /** The app can't be told by an exception: who writes to a socket expects none. */
  #refuseSocket(): void {
    const { response } = this
    if (response.destroyed || response.writableEnded) return
    if (response.headersSent) return this.response.abort()
    const { statusCode, code, message } = new ScherzoError('SCZ_ERR_POOL_SOCKET')
    const status = statusCode ?? 500
    const body = JSON.stringify({ statusCode: status, code, error: STATUS_CODES[status], message })
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body)
    })
    response.end(body)
  }
}

/** The buffers are the app's, or a part of one that Node shares out: only a copy can be given away. */
function copyOf(pieces: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    copy.set(piece, offset)
    offset += piece.length
  }
  return copy
}

function ignore(): void {}
