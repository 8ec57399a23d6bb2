/**
 * Bytes that arrive in pieces, in one buffer that doubles: it holds at most about twice what has arrived, however small the
 * pieces and however long the announced length, and appending never copies more than twice what is there in the end.
 */
export class GrowingBytes {
  #buffer: Buffer
  #length: number

  constructor() {
    this.#buffer = NOTHING
    this.#length = 0
  }

  get length(): number {
    return this.#length
  }

  /**
   * Copies `bytes` from `start` to `end`.
   *
   * @param most the length there will be at most, so that the last doubling does not overshoot it
   */
  append(bytes: Buffer, start: number, end: number, most: number): void {
    const length = this.#length + end - start
    if (length > this.#buffer.length) this.#grow(length, most)
    bytes.copy(this.#buffer, this.#length, start, end)
    this.#length = length
  }

  /** What has arrived; it belongs to the caller. */
  take(): Buffer {
    return this.#buffer.length === this.#length ? this.#buffer : this.#buffer.subarray(0, this.#length)
  }

  #grow(needed: number, most: number): void {
    const capacity = Math.max(needed, Math.min(Math.max(2 * this.#buffer.length, SMALLEST), most))
    // Not from Node's pool: a slow client would hold on to all of a slab.
    const buffer = Buffer.allocUnsafeSlow(capacity)
    this.#buffer.copy(buffer, 0, 0, this.#length)
    this.#buffer = buffer
  }
}

const SMALLEST = 64
const NOTHING = Buffer.alloc(0)
