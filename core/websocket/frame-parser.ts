import { ScherzoError } from '../errors.ts'
import { isCloseCode } from './close-codes.ts'
import { longestDeflated } from './deflate.ts'
import { FrameHeader, MAX_HEADER_BYTES, readHeader } from './frame-header.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { rotateKey, unmask } from './mask.ts'
import { MessageInProgress, checkText, finishCompressed } from './message.ts'
import { BINARY, CLOSE, CONTINUATION, MAX_CONTROL_PAYLOAD, PING } from './opcodes.ts'

/** What a parser gives. The buffers belong to the receiver; one may be a part of the chunk that it came in. */
export interface FrameSink {
  onMessage(data: Buffer, isBinary: boolean): void
  onPing(payload: Buffer): void
  onPong(payload: Buffer): void
  /** The client's close frame; nothing follows. `code` is null where the frame has none. */
  onClose(code: number | null, reason: string): void
}

/** The limits of a parser. One object serves all connections that have the same. */
export interface ParserSettings {
  /** The longest message, all its frames together and inflated, in bytes. */
  readonly maxMessageBytes: number
  /** The most frames one message may have. */
  readonly maxFragments: number
  /** Whether permessage-deflate was negotiated. */
  readonly deflate: boolean
}

export const defaultParserSettings: ParserSettings = {
  maxMessageBytes: 1_048_576,
  maxFragments: 16_384,
  deflate: false
}

/**
 * Reads the frames that one client sends (RFC 6455 section 5). However the stream is cut into chunks, the events are the
 * same.
 */
export class FrameParser {
  readonly #sink: FrameSink
  readonly #settings: ParserSettings
  /** The beginning of a header. */
  #header: Uint8Array | null
  #frame: FrameInProgress | null
  #message: MessageInProgress | null
  #isStopped: boolean

  constructor(sink: FrameSink, settings: ParserSettings = defaultParserSettings) {
    this.#sink = sink
    this.#settings = settings
    this.#header = null
    this.#frame = null
    this.#message = null
    this.#isStopped = false
  }

  /** Whether another parser may go on in its place, because it has nothing of a message or frame that is to be continued. */
  get isAtRest(): boolean {
    return this.#header === null && this.#frame === null && this.#message === null && !this.#isStopped
  }

  /**
   * Reads a chunk, which belongs to the parser from now on: payloads are unmasked where they lie.
   *
   * @throws a ScherzoError with the close code to fail the connection with; after it, or after anything that the sink
   *   throws, nothing more is read
   */
  receive(chunk: Buffer): void {
    if (this.#isStopped) return
    try {
      let at = this.#resume(chunk)
      while (at < chunk.length && !this.#isStopped) at = this.#readFrame(chunk, at)
    } catch (error) {
      this.stop()
      throw error
    }
  }

  /** Ignores what comes from now on, and lets go of what is there. */
  stop(): void {
    this.#isStopped = true
    this.#header = null
    this.#frame = null
    this.#message = null
  }

  #resume(chunk: Buffer): number {
    if (this.#frame !== null) return this.#readPayload(this.#frame, chunk, 0)
    return this.#header === null ? 0 : this.#resumeHeader(this.#header, chunk)
  }

  #resumeHeader(known: Uint8Array, chunk: Buffer): number {
    const joined = new Uint8Array(Math.min(known.length + chunk.length, MAX_HEADER_BYTES))
    joined.set(known)
    joined.set(chunk.subarray(0, joined.length - known.length), known.length)
    const length = readHeader(joined, 0, joined.length, this.#settings.deflate, header)
    if (length === 0) {
      this.#header = joined
      return chunk.length
    }
    this.#header = null
    return this.#beginFrame(chunk, length - known.length)
  }

  #readFrame(chunk: Buffer, at: number): number {
    const length = readHeader(chunk, at, chunk.length, this.#settings.deflate, header)
    if (length > 0) return this.#beginFrame(chunk, at + length)
    this.#header = new Uint8Array(chunk.subarray(at))
    return chunk.length
  }

  /** Goes on behind the header, with the payload at `at`. */
  #beginFrame(chunk: Buffer, at: number): number {
    const { opcode, length, key, isFinal, isCompressed } = header
    const end = at + length
    const isControl = opcode >= CLOSE
    if (!isControl) this.#checkData(opcode, length, isCompressed)

    if (end <= chunk.length && (isControl || (isFinal && this.#message === null))) {
      unmask(chunk, at, end, key)
      if (isControl) this.#endControl(opcode, chunk.subarray(at, end))
      else this.#endWhole(chunk, at, end, opcode === BINARY, isCompressed)
      return end
    }
    if (!isControl) {
      if (this.#message === null) this.#message = new MessageInProgress(opcode === BINARY, isCompressed)
      else this.#message.fragments++
    }
    return this.#readPayload(new FrameInProgress(opcode, isFinal, length, key), chunk, at)
  }

  /** Whether a data frame may come now, and is not too much; before any of it is kept. */
  #checkData(opcode: number, length: number, isCompressed: boolean): void {
    const message = this.#message
    if ((opcode === CONTINUATION) === (message === null)) throw new ScherzoError('SCZ_ERR_WS_CONTINUATION')
    const { maxMessageBytes, maxFragments } = this.#settings
    const whole = message === null ? length : message.length + length
    if (whole > this.#limitFor(message === null ? isCompressed : message.isCompressed)) {
      throw new ScherzoError('SCZ_ERR_WS_MESSAGE_SIZE', [maxMessageBytes])
    }
    if (message !== null && message.fragments >= maxFragments) {
      throw new ScherzoError('SCZ_ERR_WS_FRAGMENTS', [maxFragments])
    }
  }

  /** The limit for what is on the wire; the inflated message meets its own. */
  #limitFor(isCompressed: boolean): number {
    const { maxMessageBytes } = this.#settings
    return isCompressed ? longestDeflated(maxMessageBytes) : maxMessageBytes
  }

  #readPayload(frame: FrameInProgress, chunk: Buffer, at: number): number {
    const message = this.#message
    const count = Math.min(frame.remaining, chunk.length - at)
    const end = at + count
    unmask(chunk, at, end, frame.key)
    if (frame.control !== null) {
      frame.control.append(chunk, at, end, MAX_CONTROL_PAYLOAD)
    } else if (message !== null) {
      const most = frame.isFinal ? message.length + frame.remaining : this.#limitFor(message.isCompressed)
      message.append(chunk, at, end, most)
    }
    frame.remaining -= count
    frame.key = rotateKey(frame.key, count)
    this.#frame = frame.remaining === 0 ? null : frame
    if (frame.remaining > 0) return end

    if (frame.control !== null) {
      this.#endControl(frame.opcode, frame.control.take())
    } else if (frame.isFinal && message !== null) {
      this.#message = null
      this.#sink.onMessage(message.finish(this.#settings.maxMessageBytes), message.isBinary)
    }
    return end
  }

  /** A message in one frame in one chunk, which is nearly every message. */
  #endWhole(chunk: Buffer, start: number, end: number, isBinary: boolean, isCompressed: boolean): void {
    let payload = chunk.subarray(start, end)
    if (isCompressed) payload = finishCompressed(payload, isBinary, this.#settings.maxMessageBytes)
    else if (!isBinary) checkText(payload, 0, payload.length)
    this.#sink.onMessage(payload, isBinary)
  }

  #endControl(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) this.#endClose(payload)
    else if (opcode === PING) this.#sink.onPing(payload)
    else this.#sink.onPong(payload)
  }

  #endClose(payload: Buffer): void {
    const code = payload.length < 2 ? null : payload.readUInt16BE(0)
    if (code === null ? payload.length === 1 : !isCloseCode(code)) {
      throw new ScherzoError('SCZ_ERR_WS_CLOSE_FRAME')
    }
    if (code !== null) checkText(payload, 2, payload.length)
    this.stop()
    this.#sink.onClose(code, payload.toString('utf8', 2))
  }
}

/** A frame of which the header and some of the payload have arrived. */
class FrameInProgress {
  readonly opcode: number
  readonly isFinal: boolean
  /** Of the payload, in bytes. */
  remaining: number
  /** As it applies to the next byte. */
  key: number
  /** Of a control frame, which can come between the frames of a message. */
  readonly control: GrowingBytes | null

  constructor(opcode: number, isFinal: boolean, length: number, key: number) {
    this.opcode = opcode
    this.isFinal = isFinal
    this.remaining = length
    this.key = key
    this.control = opcode >= CLOSE ? new GrowingBytes() : null
  }
}

// Read and used up within one call, so all parsers of a thread share it.
const header = new FrameHeader()
