import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { ScherzoError } from '../../core/errors.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { Body, Job, PoolOrder, ResponseHead, Tail } from './messages.ts'
import type { PoolThread } from './pool-worker.ts'
import type { Route } from './route-finder.ts'
import type { Cost, Schedulable } from './schedule.ts'

/** The thread is told of room in its window when it has become this much, in bytes. */
const ROOM = 65_536

/** One request of a worker that a pool thread answers. */
export class Dispatch implements Schedulable {
  readonly cost: Cost
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Uint8Array<ArrayBuffer> | null
  readonly since: number
  thread: PoolThread | null = null
  id = 0
  /** Written, but not yet told to the thread. */
  #taken = 0
  #isWaiting = false

  constructor(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array<ArrayBuffer> | null,
    since: number
  ) {
    this.cost = route.cost
    this.request = request
    this.response = response
    this.body = body
    this.since = since
  }

  job(): Job {
    const { request, response } = this
    const socket = request.socket as TLSSocket
    const { rawTrailers } = request
    return {
      id: this.id,
      method: request.method ?? '',
      url: request.url ?? '',
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
      headers: request.headers as Job['headers'],
      trailers: rawTrailers.length === 0 ? null : { raw: rawTrailers, values: request.trailers },
      body: this.body,
      keepAlive: response.shouldKeepAlive,
      peer: {
        remoteAddress: socket.remoteAddress,
        remoteFamily: socket.remoteFamily,
        remotePort: socket.remotePort,
        localAddress: socket.localAddress,
        localPort: socket.localPort,
        encrypted: socket.encrypted
      }
    }
  }

  whole(head: ResponseHead, tail: Tail): void {
    this.#try(() => {
      this.#writeHead(head)
      this.#end(tail)
    })
  }

  head(head: ResponseHead, body: Body | null): void {
    this.#try(() => {
      this.#writeHead(head)
      if (body === null) this.response.flushHeaders()
      else this.#write(body)
    })
  }

  data(body: Body): void {
    this.#try(() => this.#write(body))
  }

  end(tail: Tail): void {
    this.#try(() => this.#end(tail))
  }

  /** @param lines name and value in turn */
  inform(status: number, lines: readonly string[]): void {
    const { response } = this
    this.#try(() => {
      if (status === 102) response.writeProcessing()
      else if (status === 100) response.writeContinue()
      else response.writeEarlyHints(hintsOf(lines))
    })
  }

  /** Answers with one of Scherzo's own errors, or cuts the connection where there is an answer already. */
  fail(
    code: ErrorCode,
    values: readonly string[] = [],
    headers: Readonly<Record<string, string>> = {}
  ): void {
    const { response } = this
    if (response.headersSent) return void response.destroy()
    const { statusCode, message } = new ScherzoError(code, values)
    const status = statusCode ?? 500
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    const body = JSON.stringify({ statusCode: status, code, error: STATUS_CODES[status], message })
    response.writeHead(status, {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body)
    })
    response.end(body)
  }

  #writeHead(head: ResponseHead): void {
    const { response } = this
    for (let index = 0; index < head.set.length; index += 2)
      response.setHeader(String(head.set[index]), head.set[index + 1]!)
    if (!head.sendDate) response.sendDate = false
    if (head.isLast) response.shouldKeepAlive = false
    if (head.isByEnd && head.given === null) {
      response.statusCode = head.status
      response.statusMessage = head.statusMessage
    } else {
      response.writeHead(head.status, head.statusMessage, (head.given ?? undefined) as never)
    }
  }

  #write(body: Body): void {
    this.#taken += typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const hasRoom = this.response.write(body)
    if (this.#isWaiting) return
    if (hasRoom) {
      if (this.#taken >= ROOM) this.#tell()
      return
    }
    this.#isWaiting = true
    this.response.once('drain', () => {
      this.#isWaiting = false
      this.#tell()
    })
  }

  #end({ body, trailers }: Tail): void {
    const { response } = this
    if (trailers !== null) {
      // Trailers come behind chunks, and only a head that was written before them makes chunks.
      if (body !== null) response.write(body)
      response.addTrailers(trailers as never)
      response.end()
    } else if (body === null) response.end()
    else response.end(body)
  }

  #tell(): void {
    const order: PoolOrder = { type: 'taken', id: this.id, bytes: this.#taken }
    this.#taken = 0
    this.thread?.order(order)
  }

  /** What only the worker's response can find wrong is an error of the app, as it is without a pool. */
  #try(act: () => void): void {
    if (this.response.destroyed) return
    try {
      act()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.fail('SCZ_ERR_POOL_THREAD', [reason])
    }
  }
}

function hintsOf(lines: readonly string[]): Record<string, string | string[]> {
  const hints: Record<string, string | string[]> = {}
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index]!
    const value = lines[index + 1]!
    hints[name.toLowerCase() === 'link' ? 'link' : name] =
      name.toLowerCase() === 'link' ? value.split(/, (?=<)/) : value
  }
  return hints
}
