import type { Reading } from './reading.ts'

const SLOTS = 256
/** Bytes of the longest chunk kept, so that a worker's memo holds at most 1 MiB. */
const LONGEST = 4096
/** How many bytes of a chunk go into its slot's number. */
const SAMPLES = 12

/**
 * Remembers what chunks of bytes meant. Clients repeat their requests byte for byte more often than not, and comparing a
 * chunk costs a tenth of scanning it (16 pipelined requests of 45 bytes: 60 ns against 1,300 ns, Node 26, 2026-11).
 *
 * Only the whole chunk counts: a single byte of difference is a miss, so nothing unvalidated is ever trusted.
 */
export class ReadingMemo {
  readonly #entries: ({ readonly bytes: Buffer; readonly reading: Reading } | null)[] = Array.from(
    { length: SLOTS },
    () => null
  )
  /** The fingerprint last missed in each slot: a chunk is kept when it comes a second time. */
  readonly #missed = new Int32Array(SLOTS)
  #fingerprint = 0

  find(chunk: Buffer): Reading | null {
    this.#fingerprint = fingerprintOf(chunk)
    const entry = this.#entries[this.#fingerprint & (SLOTS - 1)]!
    return entry !== null && entry.bytes.equals(chunk) ? entry.reading : null
  }

  /** Offers the meaning of the chunk that `find` has just missed. */
  offer(chunk: Buffer, reading: Reading): void {
    if (chunk.length > LONGEST || reading.consumed !== chunk.length) return
    const slot = this.#fingerprint & (SLOTS - 1)
    if (this.#missed[slot] === this.#fingerprint) this.#entries[slot] = { bytes: Buffer.from(chunk), reading }
    else this.#missed[slot] = this.#fingerprint
  }
}

function fingerprintOf(chunk: Buffer): number {
  const { length } = chunk
  const step = Math.max(1, Math.floor(length / SAMPLES))
  let hash = length
  for (let at = length - 1; at >= 0; at -= step) hash = (Math.imul(hash, 31) + chunk[at]!) | 0
  return hash
}
