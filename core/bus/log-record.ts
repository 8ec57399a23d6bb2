import type { MessagePort } from 'node:worker_threads'
import { receiveMessageOnPort } from 'node:worker_threads'
import type { LargeMessage } from './message.ts'
import {
  CHANNEL,
  CHANNEL_SLOTS,
  DATA_LENGTH,
  EPOCH_BYTES,
  FLAGS,
  FLAG_EPOCH,
  FLAG_GAP,
  FLAG_LARGE,
  FLAG_TEXT,
  HEADER_BYTES,
  META_LENGTH,
  NAME_LENGTHS,
  OFFSET,
  PUBLISHER,
  SEQUENCE,
  TIME,
  channelNameAt,
  dataBytesInRing
} from './record.ts'
import type { Ring } from './ring.ts'

/** Offsets from the first to the last one. Nothing is missing where `to` is before `from`. */
export interface Gap {
  readonly from: number
  readonly to: number
  /** Whether the channel has begun anew. */
  readonly isNewEpoch: boolean
}

/**
 * A message in the log. One object stands for one record after the other and reads the ring when it is asked, so it is
 * valid only until the listener that got it returns: after that its memory is written over. Copy what has to last;
 * strings and numbers are copies already.
 */
export class LogRecord {
  readonly #epoch: string
  readonly #ring: Ring
  readonly #port: MessagePort
  readonly #names = Array.from({ length: CHANNEL_SLOTS }, () => '')
  readonly #numbers = new Int32Array(CHANNEL_SLOTS).fill(-1)
  #at = 0
  #large: Buffer<SharedArrayBuffer> | null = null

  constructor(ring: Ring, epoch: string, port: MessagePort) {
    this.#ring = ring
    this.#epoch = epoch
    this.#port = port
  }

  get channel(): string {
    const number = this.#ring.words[(this.#at >> 2) + CHANNEL]!
    const slot = number % CHANNEL_SLOTS
    if (this.#numbers[slot] !== number) {
      this.#names[slot] = channelNameAt(this.#ring, this.#at)
      this.#numbers[slot] = number
    }
    return this.#names[slot]!
  }

  /** Tells the offsets of the channel apart from those that it had before it began anew. */
  get epoch(): string {
    const { words, bytes } = this.#ring
    const word = this.#at >> 2
    if ((words[word + FLAGS]! & FLAG_EPOCH) === 0) return this.#epoch
    const end = this.#namesStart + (words[word + NAME_LENGTHS]! >>> 16) + words[word + META_LENGTH]!
    return bytes.toString('hex', end, end + EPOCH_BYTES)
  }

  /** The messages that this record stands for and that can't be had any more; null where it is a message itself. */
  get gap(): Gap | null {
    const flags = this.#ring.words[(this.#at >> 2) + FLAGS]!
    if ((flags & FLAG_GAP) === 0) return null
    return { from: Number(this.data.toString('latin1')), to: this.offset, isNewEpoch: this.isText }
  }

  /** Counts the messages of the channel from 1 on. */
  get offset(): number {
    return this.#ring.floats[(this.#at >> 3) + OFFSET]!
  }

  /** Tells the threads apart that have published since the bus was made. */
  get publisher(): number {
    return this.#ring.words[(this.#at >> 2) + PUBLISHER]!
  }

  /** Counts the publisher's messages from 1 on. */
  get sequence(): number {
    return this.#ring.floats[(this.#at >> 3) + SEQUENCE]!
  }

  /** When it was published, in milliseconds since 1970. */
  get time(): number {
    return this.#ring.floats[(this.#at >> 3) + TIME]!
  }

  /** Whether the data is text, in UTF-8. */
  get isText(): boolean {
    return (this.#ring.words[(this.#at >> 2) + FLAGS]! & FLAG_TEXT) !== 0
  }

  /** A view of the shared memory, not a copy. */
  get data(): Buffer<SharedArrayBuffer> {
    if (this.#large !== null) return this.#large
    const start = this.#at + HEADER_BYTES
    return this.#ring.bytes.subarray(start, start + this.dataLength)
  }

  get dataLength(): number {
    return this.#ring.words[(this.#at >> 2) + DATA_LENGTH]!
  }

  /** A later message with the same key may stand in for this one; null if it has none. */
  get key(): string | null {
    const { words } = this.#ring
    return this.#textAt(this.#namesStart, words[(this.#at >> 2) + NAME_LENGTHS]! >>> 16)
  }

  /** What the publisher gave to go with it; null if it gave nothing. */
  get meta(): string | null {
    const { words } = this.#ring
    const word = this.#at >> 2
    const start = this.#namesStart + (words[word + NAME_LENGTHS]! >>> 16)
    return this.#textAt(start, words[word + META_LENGTH]!)
  }

  /** For the reader: goes on to the record with this index. */
  moveTo(at: number): void {
    this.#at = at
    const isLarge = (this.#ring.words[(at >> 2) + FLAGS]! & FLAG_LARGE) !== 0
    this.#large = isLarge ? this.#receiveLarge() : null
  }

  /** Behind the channel's name. */
  get #namesStart(): number {
    const { words } = this.#ring
    const word = this.#at >> 2
    return this.#at + HEADER_BYTES + dataBytesInRing(words, word) + (words[word + NAME_LENGTHS]! & 0xffff)
  }

  #textAt(start: number, length: number): string | null {
    return length === 0 ? null : this.#ring.bytes.toString('utf8', start, start + length)
  }

  /** The sequencer sent it before it wrote the record, and to attached readers only: it is the next one. */
  #receiveLarge(): Buffer<SharedArrayBuffer> {
    const { message } = receiveMessageOnPort(this.#port) as { message: LargeMessage }
    return Buffer.from(message.data.buffer)
  }
}
