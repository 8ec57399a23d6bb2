/** Every record starts at a multiple of this, so that its numbers can be read in place. */
const ALIGNMENT = 8

/** Stands in place of a record's size where the rest of the ring is left empty and the next record is at the start. */
export const WRAP = -1

export const MAX_RING_BYTES: number = 2 ** 30

/**
 * Memory that a writer fills with records in a circle. The first word of a record is its size, a multiple of 8.
 *
 * Positions count bytes modulo 2^32 and are kept as signed 32-bit numbers. As the capacity is a power of two, a position
 * gives its place by a mask also where it wraps, and as no more than the capacity lies between two positions, their
 * difference is right also then. So nothing overflows, whatever the rate, and positions fit Atomics on Int32.
 */
export class Ring {
  readonly capacity: number
  readonly mask: number
  readonly words: Int32Array<SharedArrayBuffer>
  readonly floats: Float64Array<SharedArrayBuffer>
  readonly bytes: Buffer<SharedArrayBuffer>
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #head: number

  /** @param head index of the word that says how far the writer got */
  constructor(memory: SharedArrayBuffer, head: number, dataStart: number) {
    this.capacity = memory.byteLength - dataStart
    this.mask = this.capacity - 1
    if (!isRingSize(this.capacity)) throw new RangeError(`A ring can't have ${this.capacity} bytes`)
    this.words = new Int32Array(memory, dataStart)
    this.floats = new Float64Array(memory, dataStart)
    this.bytes = Buffer.from(memory, dataStart, this.capacity)
    this.#control = new Int32Array(memory, 0, dataStart / 4)
    this.#head = head
  }

  /** The position behind the last record that is whole. */
  get head(): number {
    return Atomics.load(this.#control, this.#head)
  }

  set head(position: number) {
    Atomics.store(this.#control, this.#head, position)
  }
}

export function isRingSize(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes >= 64 && bytes <= MAX_RING_BYTES && (bytes & (bytes - 1)) === 0
}

export function align(bytes: number): number {
  return (bytes + ALIGNMENT - 1) & -ALIGNMENT
}

/** Copies whole records from ring to ring. */
export function copyRecords(source: Ring, at: number, target: Ring, to: number, size: number): void {
  if (size > LOOP_BYTES) {
    target.bytes.set(source.bytes.subarray(at, at + size), to)
    return
  }
  const from = source.words
  const into = target.words
  const first = to >> 2
  const start = at >> 2
  const count = size >> 2
  for (let index = 0; index < count; index++) into[first + index] = from[start + index]!
}

/** Up to here a loop over words is faster than the call. */
const LOOP_BYTES = 512

/** The one that writes. What it has written is seen by nobody before `publish()`, and if it dies before that, never. */
export class RingWriter {
  readonly ring: Ring
  /** Behind the last record written, published or not. */
  position: number
  readonly #readOldest: () => number
  #oldest: number

  /** @param readOldest gives the position up to which all readers have read, which is where writing has to stop */
  constructor(ring: Ring, readOldest: () => number) {
    this.ring = ring
    this.position = ring.head
    this.#readOldest = readOldest
    this.#oldest = this.position
  }

  /**
   * Finds room for a record in one piece. It may be up to half the ring; the writer then fills in what it needs of it.
   *
   * @returns the index of its first byte, or -1 while the ring is full
   */
  claim(size: number): number {
    const { capacity, mask, words } = this.ring
    const at = this.position & mask
    const rest = capacity - at
    if (size <= rest) return this.#hasRoom(size) ? at : -1
    if (!this.#hasRoom(rest + size)) return -1
    words[at >> 2] = WRAP
    this.position = (this.position + rest) | 0
    return 0
  }

  /** How many bytes can be written at once from the last claim's index on. */
  get room(): number {
    const { capacity, mask } = this.ring
    return Math.min(capacity - (this.position & mask), capacity - this.#used)
  }

  /** Counts what was written at the last claim's index. */
  commit(size: number): void {
    this.position = (this.position + size) | 0
  }

  /** Makes everything committed visible, in one step. */
  publish(): void {
    this.ring.head = this.position
  }

  #hasRoom(size: number): boolean {
    const { capacity } = this.ring
    if (this.#used + size <= capacity) return true
    this.#oldest = this.#readOldest()
    return this.#used + size <= capacity
  }

  get #used(): number {
    return (this.position - this.#oldest) | 0
  }
}

/** One that reads. The memory of a record may be written over once whoever asks for the oldest position sees it passed. */
export class RingReader {
  readonly ring: Ring
  /** Where the next record starts. */
  position: number
  #head: number

  constructor(ring: Ring, position: number) {
    this.ring = ring
    this.position = position
    this.#head = position
  }

  /** Starts anew at a position where a record starts or will start. */
  seek(position: number): void {
    this.position = position
    this.#head = position
  }

  /** @returns the index of the next record's first byte, or -1 if there is none */
  next(): number {
    const { capacity, mask, words } = this.ring
    for (;;) {
      if (this.position === this.#head) {
        this.#head = this.ring.head
        if (this.position === this.#head) return -1
      }
      const at = this.position & mask
      if (words[at >> 2] !== WRAP) return at
      this.position = (this.position + capacity - at) | 0
    }
  }

  /** How many bytes of whole records, or a wrap marker behind them, are known to lie from the next record on. */
  get available(): number {
    return Math.min((this.#head - this.position) | 0, this.ring.capacity - (this.position & this.ring.mask))
  }

  advance(size: number): void {
    this.position = (this.position + size) | 0
  }
}
