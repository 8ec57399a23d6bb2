import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import { fieldValue } from '../core/http/fields.ts'
import type { FastCall } from './reading.ts'

/** What a fast handler is given. It is the same in both lanes. */
export interface FastRequest {
  /** The method in upper case. */
  readonly method: string
  /** The path as it stands in the request, without the query. */
  readonly path: string
  /** The query's decoded parameters; one that occurs more than once is an array. */
  readonly query: Readonly<Record<string, string | string[] | undefined>>
  /** A request header's value; the name's case does not matter. */
  header(name: string): string | undefined
}

/** A request of the fast lane: reads the bytes when it is asked, and not before. */
export class WireRequest implements FastRequest {
  readonly #bytes: Buffer
  readonly #call: FastCall
  readonly method: string

  constructor(bytes: Buffer, call: FastCall) {
    this.#bytes = bytes
    this.#call = call
    this.method = call.method
  }

  get path(): string {
    return this.#bytes.toString('latin1', this.#call.targetStart, this.#call.pathEnd)
  }

  get query(): FastRequest['query'] {
    return parse(this.#bytes.toString('latin1', this.#call.pathEnd + 1, this.#call.targetEnd))
  }

  header(name: string): string | undefined {
    return fieldValue(this.#bytes, this.#call.headersStart, this.#call.end, name.toLowerCase())
  }
}

/** A request of the main lane. */
export class MessageRequest implements FastRequest {
  readonly #message: IncomingMessage
  readonly method: string

  constructor(message: IncomingMessage) {
    this.#message = message
    this.method = message.method ?? 'GET'
  }

  get path(): string {
    return this.#target.split('?', 1)[0]!
  }

  get query(): FastRequest['query'] {
    return parse(this.#target.slice(this.path.length + 1))
  }

  header(name: string): string | undefined {
    const { headers } = this.#message
    const key = name.toLowerCase()
    const value = Object.hasOwn(headers, key) ? headers[key] : undefined
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** The target in origin-form: an absolute one loses its scheme and authority. */
  get #target(): string {
    return (this.#message.url ?? '/').replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  }
}
