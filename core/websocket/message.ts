import { ScherzoError } from '../errors.ts'
import { inflate } from './deflate.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { UTF8_INVALID, UTF8_START, advanceUtf8 } from './utf8.ts'

/** A data message of which some has arrived. Small messages that arrive whole never need one. */
export class MessageInProgress {
  readonly isBinary: boolean
  readonly isCompressed: boolean
  readonly #bytes: GrowingBytes
  #utf8: number
  /** Frames so far. */
  fragments: number

  constructor(isBinary: boolean, isCompressed: boolean) {
    this.isBinary = isBinary
    this.isCompressed = isCompressed
    this.#bytes = new GrowingBytes()
    this.#utf8 = UTF8_START
    this.fragments = 1
  }

  get length(): number {
    return this.#bytes.length
  }

  /**
   * Takes an unmasked piece of the payload. Text is checked now, not at the end: RFC 6455 section 8.1 lets the connection
   * fail at once, and a client can't make us buffer what was lost from the first byte.
   *
   * @param most the length the message will have at most
   */
  append(bytes: Buffer, start: number, end: number, most: number): void {
    if (!this.isBinary && !this.isCompressed) {
      this.#utf8 = advanceUtf8(this.#utf8, bytes, start, end)
      if (this.#utf8 === UTF8_INVALID) throw new ScherzoError('SCZ_ERR_WS_TEXT')
    }
    this.#bytes.append(bytes, start, end, most)
  }

  /** The payload when the last frame has ended. */
  finish(maxBytes: number): Buffer {
    const bytes = this.#bytes.take()
    if (this.isCompressed) return finishCompressed(bytes, this.isBinary, maxBytes)
    if (this.#utf8 !== UTF8_START) throw new ScherzoError('SCZ_ERR_WS_TEXT')
    return bytes
  }
}

/** Inflates a whole message; its text can be checked only now. */
export function finishCompressed(bytes: Uint8Array, isBinary: boolean, maxBytes: number): Buffer {
  const inflated = inflate(bytes, maxBytes)
  if (!isBinary) checkText(inflated, 0, inflated.length)
  return inflated
}

/** Checks a text that is whole. */
export function checkText(bytes: Buffer, start: number, end: number): void {
  if (advanceUtf8(UTF8_START, bytes, start, end) !== UTF8_START) throw new ScherzoError('SCZ_ERR_WS_TEXT')
}
