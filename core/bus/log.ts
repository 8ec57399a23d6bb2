import type { Connection } from './connection.ts'
import { Doorbell } from './doorbell.ts'
import { LOG_DATA, LOG_DOORBELL, LOG_HEAD } from './memory.ts'
import type { LargeMessage } from './message.ts'
import { Queue } from './queue.ts'
import { Ring, RingWriter } from './ring.ts'

/** The writer's end of the log, and who reads it. */
export class Log {
  readonly writer: RingWriter
  readonly #doorbell: Doorbell
  readonly #maxLargeBytes: number
  #readers: Connection[] = []
  /** Large messages that some reader may not have taken yet. */
  readonly #large = new Queue<{ readonly end: number; readonly bytes: number }>()
  #largeBytes = 0

  constructor(memory: SharedArrayBuffer, maxLargeBytes: number) {
    const ring = new Ring(memory, LOG_HEAD, LOG_DATA)
    this.writer = new RingWriter(ring, () => this.oldest)
    this.#doorbell = new Doorbell(new Int32Array(memory, 0, LOG_DATA / 4), LOG_DOORBELL)
    this.#maxLargeBytes = maxLargeBytes
  }

  get readers(): readonly Connection[] {
    return this.#readers
  }

  /** The reader that has the most to read. */
  get slowest(): Connection | null {
    let slowest: Connection | null = null
    let most = 0
    for (const reader of this.#readers) {
      const lag = this.lagOf(reader)
      if (lag <= most || !reader.isReading) continue
      slowest = reader
      most = lag
    }
    return slowest
  }

  /** Each cursor is looked at once: a second look at the slowest could find it ahead of another one. */
  get oldest(): number {
    let most = 0
    for (const reader of this.#readers) if (reader.isReading) most = Math.max(most, this.lagOf(reader))
    return (this.writer.position - most) | 0
  }

  /** How many bytes of the log the reader has before it. */
  lagOf(reader: Connection): number {
    return (this.writer.position - reader.cursor) | 0
  }

  /** Attaches a reader: it gets everything that is written from now on. */
  attach(reader: Connection): void {
    reader.attach(this.writer.position)
    this.#readers.push(reader)
    this.#doorbell.ring()
  }

  /** Lets go of readers that have ended or stopped. */
  detachEnded(): void {
    if (this.#readers.every((reader) => reader.isReading)) return
    this.#readers = this.#readers.filter((reader) => reader.isReading)
  }

  /** Whether the large message may be sent to the readers now. One may always be under way, whatever its size. */
  hasRoomForLarge(bytes: number): boolean {
    this.#forgetLarge()
    return this.#largeBytes === 0 || this.#largeBytes + bytes <= this.#maxLargeBytes
  }

  /** Sends the data of the message whose record is to be written next and has this size. */
  sendLarge(large: LargeMessage, recordBytes: number): void {
    this.#large.push({ end: (this.writer.position + recordBytes) | 0, bytes: large.data.length })
    this.#largeBytes += large.data.length
    for (const reader of this.#readers) reader.port.postMessage(large)
  }

  publish(): void {
    this.writer.publish()
    this.#doorbell.ring()
    // Not only when the next large message comes: until then the positions may have gone round.
    if (this.#large.size > 0) this.#forgetLarge()
  }

  ring(): void {
    this.#doorbell.ring()
  }

  /** Stops counting the large messages that all readers have read. */
  #forgetLarge(): void {
    const { oldest } = this
    for (let next = this.#large.first; next !== undefined; next = this.#large.first) {
      if (((next.end - oldest) | 0) > 0) break
      this.#largeBytes -= next.bytes
      this.#large.shift()
    }
  }
}
