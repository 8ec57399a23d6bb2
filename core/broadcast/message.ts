import { isTextFrame } from '../websocket/frames.ts'
import type { Channel } from './channel.ts'
import { messageEvent } from './event-form.ts'
import { PLAIN, type Format } from './format.ts'
import { wrap } from './wrapping.ts'

/** A message in the form in which clients get it. One object for all of them. */
export class Message {
  readonly channel: Channel
  /** Its place among those that this thread has read in the channel. */
  readonly ordinal: number
  readonly offset: number
  readonly key: string | null
  readonly frame: Buffer
  /** When it was read, by performance.now(). */
  readonly readAt: number
  /** When it was published, in milliseconds since 1970. */
  readonly time: number
  /** Of its offset. */
  readonly epoch: string
  #conflationKey: string | null = null
  #frames: Map<Format, Buffer> | null = null
  #batches: Map<Format, Batch> | null = null

  constructor(
    channel: Channel,
    ordinal: number,
    offset: number,
    key: string | null,
    frame: Buffer,
    readAt: number,
    time: number,
    epoch: string
  ) {
    this.channel = channel
    this.ordinal = ordinal
    this.offset = offset
    this.key = key
    this.frame = frame
    this.readAt = readAt
    this.time = time
    this.epoch = epoch
  }

  /** A later message with the same one may stand in for this one. A channel's name alone can't be mistaken for a key. */
  get conflationKey(): string {
    this.#conflationKey ??= this.key === null ? this.channel.name : `${this.key}\0${this.channel.name}`
    return this.#conflationKey
  }

  /** Whether it stands in the place of messages that can't be had. */
  get isLost(): boolean {
    return this.key?.startsWith(LOST) === true
  }

  /** Whether its data are JSON. */
  get isText(): boolean {
    return isTextFrame(this.frame)
  }

  /** The message alone, made once for all who have the format. */
  frameIn(format: Format): Buffer {
    if (format === PLAIN) return this.frame
    let frame = this.#frames?.get(format)
    if (frame === undefined) {
      frame =
        format.events === null ? wrap(this.frame, format, this.channel) : messageEvent(this, format.events)
      this.#frames ??= new Map()
      this.#frames.set(format, frame)
    }
    return frame
  }

  /** A batch that begins with this message, made once for all who get the same. */
  batchIn(format: Format, count: number, make: () => Buffer): Buffer {
    const known = this.#batches?.get(format)
    if (known?.count === count) return known.frame
    const frame = make()
    this.#batches ??= new Map()
    this.#batches.set(format, { count, frame })
    return frame
  }
}

interface Batch {
  readonly count: number
  readonly frame: Buffer
}

const LOST = '\0lost '

/** The key of what stands in the place of messages that can't be had: none can stand in for it. */
export function lostKey(epoch: string, offset: number): string {
  return `${LOST}${epoch} ${offset}`
}
