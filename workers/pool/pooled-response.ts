import { OutgoingMessage, ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import type { GivenHeaders, HeaderValue, ResponseHead } from './messages.ts'
import type { PooledRequest, PooledSocket } from './pooled-request.ts'

/** A piece of a response's body, as the app wrote it. */
export type Piece = string | Buffer

/** Where a response goes. */
export interface Outlet {
  /** @param lines name and value in turn */
  inform(status: number, lines: string[]): void
  /** A piece of the body, or nothing but the head; `done` is called when there is room for more. */
  accept(pieces: readonly Piece[], done: () => void): void
  /** The app has ended the response, and all of it has been accepted. */
  finish(): void
  /** It is closed, finished or not. */
  close(): void
}

/**
 * The response as the app sees it: Node's own, on a stream that drops the head. The head is kept as the app gave it, for the
 * worker's response to write. To Node the client speaks HTTP/1.0, so that the body comes without chunks.
 */
export class PooledResponse extends ServerResponse<PooledRequest> {
  head: ResponseHead | null = null
  trailers: GivenHeaders | null = null
  readonly #outlet: Outlet
  readonly #sink: Sink
  readonly #keepAlive: boolean
  /** Whether `end()` is at work. */
  isEnding = false
  #needsDrain = false

  constructor(request: PooledRequest, keepAlive: boolean, outlet: Outlet) {
    super({ method: request.method, httpVersionMajor: 1, httpVersionMinor: 0, headers: {} } as PooledRequest)
    ;(this as { req: IncomingMessage }).req = request
    this.shouldKeepAlive = keepAlive
    this.#keepAlive = keepAlive
    this.#outlet = outlet
    this.#sink = new Sink(this, outlet)
    this.#sink.on('drain', () => this.#drain())
    this.assignSocket(this.#sink as unknown as Socket)
    this.on('finish', this.#finish)
    this.on('close', outlet.close.bind(outlet))
  }

  get facade(): PooledSocket {
    return this.req.socket as unknown as PooledSocket
  }

  get needsDrain(): boolean {
    return !this.destroyed && !this.writableEnded && this.#needsDrain
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    if (this.headersSent) return super.writeHead(status)
    const reason = typeof rest[0] === 'string' ? rest[0] : undefined
    const given = (reason === undefined ? (rest[0] ?? rest[1]) : rest[1]) as GivenHeaders | undefined
    const set = this.#takeHeaders()
    const passed = given === undefined || given === null ? undefined : withoutFraming(given)
    if (reason === undefined) super.writeHead(status, passed as never)
    else super.writeHead(status, reason, passed as never)
    this.head = {
      status: this.statusCode,
      statusMessage: this.statusMessage,
      set,
      given: given === undefined || given === null ? null : copyHeaders(given),
      isByEnd: this.isEnding,
      sendDate: this.sendDate,
      isLast: this.#keepAlive && !this.shouldKeepAlive
    }
    return this
  }

  override write(...values: unknown[]): boolean {
    const hasRoom = super.write(...(values as Parameters<ServerResponse['write']>))
    if (!hasRoom) this.#needsDrain = true
    return hasRoom
  }

  override end(...values: unknown[]): this {
    this.isEnding = true
    super.end(...(values as Parameters<ServerResponse['end']>))
    this.isEnding = false
    if (this.writableEnded && this.#sink.writableLength === 0 && !this.destroyed) this.#outlet.finish()
    return this
  }

  override addTrailers(trailers: Parameters<ServerResponse['addTrailers']>[0]): void {
    super.addTrailers(trailers)
    this.trailers = copyHeaders(trailers as GivenHeaders)
  }

  /** The client has gone away. */
  abort(): void {
    this.#sink.destroy()
  }

  #drain(): void {
    if (!this.#needsDrain || this.writableEnded) return
    this.#needsDrain = false
    this.emit('drain')
  }

  #finish(): void {
    this.#outlet.finish()
    // As the server does: the request is over with its response, whether somebody read its body or not.
    if (!this.req.readableEnded) this.req.resume()
    process.nextTick(() => this.#sink.destroy())
  }

  /** The headers set one by one, and takes from them what Node would frame the body by. */
  #takeHeaders(): HeaderValue[] {
    const set: HeaderValue[] = []
    // The types of Node have it for requests of clients only.
    const { getRawHeaderNames } = this as unknown as { getRawHeaderNames(): string[] }
    for (const name of getRawHeaderNames.call(this)) {
      const value = this.getHeader(name)
      if (value !== undefined) set.push(name, copyValue(value))
      if (isFraming(name)) this.removeHeader(name)
    }
    return set
  }
}

const { set: setSocket } = Object.getOwnPropertyDescriptor(OutgoingMessage.prototype, 'socket') ?? {}
if (setSocket === undefined) throw new Error('A response of this Node.js has no socket')

Object.defineProperties(PooledResponse.prototype, {
  // What the app gets is the client's connection, as far as there is one, and not the stream below the response.
  socket: {
    configurable: true,
    get(this: PooledResponse): PooledSocket {
      return this.facade
    },
    set: setSocket
  },
  // It is the server that tells a response to go on, and there is none.
  writableNeedDrain: {
    configurable: true,
    get(this: PooledResponse): boolean {
      return this.needsDrain
    }
  }
})

/** Takes what Node writes of a response and passes the body on. */
class Sink extends Writable {
  readonly #response: PooledResponse
  readonly #outlet: Outlet
  #isInBody = false

  constructor(response: PooledResponse, outlet: Outlet) {
    super({ decodeStrings: false })
    this.#response = response
    this.#outlet = outlet
  }

  override _write(chunk: Piece, encoding: BufferEncoding, done: () => void): void {
    this.#outlet.accept(this.#pieceOf(chunk, encoding), done)
  }

  override _writev(chunks: { chunk: Piece; encoding: BufferEncoding }[], done: () => void): void {
    const pieces = chunks.flatMap(({ chunk, encoding }) => this.#pieceOf(chunk, encoding))
    this.#outlet.accept(pieces, done)
  }

  #pieceOf(chunk: Piece, encoding: BufferEncoding): Piece[] {
    const body = this.#isInBody || typeof chunk !== 'string' ? chunk : this.#dropHeads(chunk)
    if (body.length === 0) return []
    // Heads are ASCII, and so is whatever was put behind one in another encoding than UTF-8 and Latin-1.
    if (typeof body !== 'string' || encoding === 'utf8' || encoding === 'utf-8') return [body]
    return [Buffer.from(body, encoding)]
  }

  /** Node writes every head in one piece, and at most text of the body behind it. */
  #dropHeads(text: string): string {
    let rest = text
    while (!this.#isInBody && rest !== '') {
      const end = rest.indexOf('\r\n\r\n')
      const [, status = ''] = rest.split(' ', 2)
      const isFinal = !status.startsWith('1')
      if (isFinal) this.#isInBody = true
      else this.#outlet.inform(Number(status), linesOf(rest.slice(0, end)))
      rest = rest.slice(end + 4)
    }
    return rest
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { facade, req } = this.#response
    if (!this.#response.writableFinished) req.abort()
    facade.destroy()
    done(error)
  }
}

function linesOf(head: string): string[] {
  const [, ...lines] = head.split('\r\n')
  return lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
}

/** Transfer-Encoding and Trailer say how the body is sent, and that is up to the worker. */
function isFraming(name: string): boolean {
  return (name.length === 17 || name.length === 7) && /^(?:transfer-encoding|trailer)$/i.test(name)
}

function withoutFraming(given: GivenHeaders): GivenHeaders {
  if (!Array.isArray(given)) {
    const headers = given as Readonly<Record<string, HeaderValue>>
    if (!Object.keys(headers).some(isFraming)) return headers
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !isFraming(name)))
  }
  const list = given as readonly unknown[]
  if (Array.isArray(list[0]))
    return list.filter((entry) => !isFraming(String((entry as unknown[])[0]))) as never
  return list.filter((_value, index) => !isFraming(String(list[index - (index % 2)]))) as never
}

function copyHeaders(given: GivenHeaders): GivenHeaders {
  if (Array.isArray(given)) return given.map((entry: unknown) => copyValue(entry))
  const copy: Record<string, HeaderValue> = {}
  for (const [name, value] of Object.entries(given)) copy[name] = copyValue(value)
  return copy
}

function copyValue(value: unknown): HeaderValue {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.map(String) : String(value)
}
