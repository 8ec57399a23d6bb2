import { inflateRawSync } from 'node:zlib'

/** What came over a connection, frame by frame. */
export interface FrameListener {
  /** Whether the next frame is to be read, or only counted. */
  isReading: () => boolean
  /** A whole frame that was read. @param payload inflated */
  onFrame: (opcode: number, payload: Buffer) => void
}

const LONGEST_HEADER = 10
const COMPRESSED = 0x40
/** The end of a message that permessage-deflate leaves out (RFC 7692, section 7.2.2). */
const ENDING = Buffer.from([0, 0, 0xff, 0xff])

/** Takes the frames of a server apart. Those that are only counted cost little, whatever their length. */
export class FrameStream {
  readonly #listener: FrameListener
  frames = 0
  bytes = 0
  /** Of the frame that is only counted, what is still to come. */
  #skip = 0
  /** What has come of a frame that is read, or of a header. */
  #parts: Buffer[] = []

  constructor(listener: FrameListener) {
    this.#listener = listener
  }

  push(chunk: Buffer): void {
    this.bytes += chunk.length
    if (this.#skip >= chunk.length) {
      this.#skip -= chunk.length
      return
    }
    const rest = chunk.subarray(this.#skip)
    this.#skip = 0
    const bytes = this.#parts.length === 0 ? rest : Buffer.concat([...this.#parts, rest])
    this.#parts = []
    this.#walk(bytes)
  }

  #walk(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      const left = bytes.length - at
      const header = left < 2 ? LONGEST_HEADER : headerLength(bytes[at + 1]!)
      if (left < header) break
      const length = payloadLength(bytes, at, header)
      const end = at + header + length
      const isRead = this.#listener.isReading()
      if (end > bytes.length && isRead) break
      this.frames++
      if (isRead) this.#read(bytes[at]!, bytes.subarray(at + header, end))
      if (end > bytes.length) this.#skip = end - bytes.length
      at = end
    }
    // The memory of a chunk is written over.
    if (at < bytes.length) this.#parts = [Buffer.from(bytes.subarray(at))]
  }

  #read(first: number, payload: Buffer): void {
    const isCompressed = (first & COMPRESSED) !== 0
    const inflated = isCompressed ? inflateRawSync(Buffer.concat([payload, ENDING]), FLUSH) : payload
    this.#listener.onFrame(first & 0x0f, inflated)
  }
}

/** Z_SYNC_FLUSH: the message need not have a final block. */
const FLUSH = { finishFlush: 2 }

function headerLength(second: number): number {
  return second < 126 ? 2 : second === 126 ? 4 : LONGEST_HEADER
}

function payloadLength(bytes: Buffer, at: number, header: number): number {
  if (header === 2) return bytes[at + 1]!
  return header === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
}
