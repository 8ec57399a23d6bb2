import type { OutgoingHttpHeaders } from 'node:http'
import { Http2ServerRequest, Http2ServerResponse, constants } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'

const requestKey = Symbol('scherzo.request')

interface RequestStream extends ServerHttp2Stream {
  [requestKey]?: Http2LaneRequest
}

/** The request of a stream, or null if it has none yet. */
export function requestOf(stream: ServerHttp2Stream): Http2LaneRequest | null {
  return (stream as RequestStream)[requestKey] ?? null
}

/**
 * A request over HTTP/2 whose body fails when the client breaks it off, as over HTTP/1. Node would end it there as if it were
 * whole.
 */
export class Http2LaneRequest extends Http2ServerRequest {
  #hasEnded = false

  constructor(...[stream, headers, options, rawHeaders]: ConstructorParameters<typeof Http2ServerRequest>) {
    // Node emits 'close' by itself when the stream has closed.
    super(stream, headers, { ...options, emitClose: false }, rawHeaders)
    ;(stream as RequestStream)[requestKey] = this
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null || this.#hasEnded) return super.push(chunk, encoding)
    this.#hasEnded = true
    if (!isBrokenOff(this.stream as ServerHttp2Stream)) return super.push(null)
    this.fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
    return false
  }

  /** Tells who reads the body, if anybody does, that the rest does not come. */
  fail(error: Error): void {
    this.#hasEnded = true
    this.destroy(this.listenerCount('error') > 0 ? error : undefined)
  }
}

/** Whether the client gave a stream up: it can't be closed in peace before it has a response. */
function isBrokenOff(stream: ServerHttp2Stream): boolean {
  if (stream.endAfterHeaders) return false
  return (
    stream.rstCode !== constants.NGHTTP2_NO_ERROR ||
    (stream.closed && !(stream.headersSent && stream.writableFinished))
  )
}

/** Headers of a connection, which HTTP/2 does not have: Node throws on some and warns of others (RFC 9113 section 8.2.2). */
const CONNECTION_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade'
])

type HeaderValue = number | string | readonly string[]

/** A response over HTTP/2 for an app that speaks HTTP/1: what is said of the connection there is left out here. */
export class Http2LaneResponse extends Http2ServerResponse {
  override setHeader(name: string, value: HeaderValue): void {
    if (this.#isSent(name, value)) super.setHeader(name, value)
  }

  override appendHeader(name: string, value: string | string[]): void {
    if (this.#isSent(name, value)) super.appendHeader(name, value)
  }

  override writeHead(status: number, ...rest: readonly unknown[]): this {
    // HTTP/2 has no reason phrases.
    const headers = rest.find((value) => typeof value === 'object' && value !== null)
    return headers === undefined
      ? super.writeHead(status)
      : super.writeHead(status, this.#sentOf(headers) as OutgoingHttpHeaders)
  }

  #sentOf(headers: object): Record<string, HeaderValue> {
    if (!Array.isArray(headers)) return Object.fromEntries(this.#sentEntries(Object.entries(headers)))
    const pairs = Array.isArray(headers[0])
      ? (headers as Entry[])
      : headers.flatMap((name: string, index) =>
          index % 2 === 0 ? [[name, headers[index + 1] as HeaderValue] as const] : []
        )
    const sent: Record<string, HeaderValue> = {}
    for (const [name, value] of this.#sentEntries(pairs)) {
      const before = sent[name]
      sent[name] = before === undefined ? value : [before, value].flat().map(String)
    }
    return sent
  }

  #sentEntries(entries: readonly Entry[]): Entry[] {
    return entries.filter(([name, value]) => this.#isSent(name, value))
  }

  /** Connection: close says that the rest of the request is not wanted, and that can be said here too. */
  #isSent(name: string, value: HeaderValue): boolean {
    const lowerCase = name.toLowerCase()
    if (!CONNECTION_HEADERS.has(lowerCase)) return true
    const { stream } = this
    if (lowerCase === 'connection' && value === 'close')
      stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
    return false
  }
}

type Entry = readonly [name: string, value: HeaderValue]
