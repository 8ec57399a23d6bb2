import { STATUS_CODES } from 'node:http'
import { flatText } from '../core/http/flat-text.ts'

/** Header names in lower case and their values, in the order they are sent. */
export type Fields = Readonly<Record<string, string>>

/** A longer body is written as bytes beside the text; copying it into a string first would cost more than it saves. */
const LONGEST_TEXT = 4096

/** Status line and headers that a route's answers share: everything but Content-Length and what varies by second. */
export class Head {
  readonly status: number
  readonly fields: Fields
  readonly text: string
  /** The head for the last length asked for: most answers of a route are as long as the one before. */
  #start: string
  #length: number

  constructor(status: number, fields: Fields) {
    this.status = status
    this.fields = fields
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    this.text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n${lines.join('')}`
    this.#start = flatText(this.text)
    this.#length = -1
  }

  /** The status line and every header but Date, for a body of `length` bytes. */
  startFor(length: number): string {
    if (length !== this.#length && this.hasBody) {
      this.#start = flatText(`${this.text}content-length: ${length}\r\n`)
      this.#length = length
    }
    return this.#start
  }

  /** Whether a response of this status has a body (RFC 9110 section 6.4.1). */
  get hasBody(): boolean {
    return this.status !== 204 && this.status !== 304
  }
}

/**
 * One response but for its Date: what both lanes send. The fast lane joins `start`, the Date and the body; the main lane
 * gives `fields` and `payload` to Fastify.
 */
export class Answer {
  readonly head: Head
  /** The status line and every header but Date. */
  readonly start: string
  /** The body with one character a byte, or null when it is long. */
  readonly text: string | null
  /** The body as bytes where `text` is null or is not ASCII. */
  readonly bytes: Buffer | null
  readonly #length: number

  private constructor(head: Head, text: string | null, bytes: Buffer | null, length: number) {
    this.head = head
    this.start = head.startFor(length)
    this.text = text
    this.bytes = bytes
    this.#length = length
  }

  static ofText(head: Head, text: string): Answer {
    const length = Buffer.byteLength(text)
    if (length === text.length && length <= LONGEST_TEXT) return new Answer(head, text, null, length)
    return Answer.ofBytes(head, Buffer.from(text))
  }

  static ofBytes(head: Head, body: Uint8Array): Answer {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
    return new Answer(
      head,
      bytes.length <= LONGEST_TEXT ? bytes.toString('latin1') : null,
      bytes,
      bytes.length
    )
  }

  static withoutBody(head: Head): Answer {
    return new Answer(head, '', null, 0)
  }

  /** The headers as Fastify takes them. */
  get fields(): Fields {
    return this.head.hasBody
      ? { ...this.head.fields, 'content-length': String(this.#length) }
      : this.head.fields
  }

  /** The body as Fastify takes it: as bytes, since it adds a charset to the content type of some strings. */
  get payload(): Buffer | undefined {
    if (!this.head.hasBody) return undefined
    return this.bytes ?? Buffer.from(this.text ?? '', 'latin1')
  }
}
