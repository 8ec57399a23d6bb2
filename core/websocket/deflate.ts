import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { ScherzoError } from '../errors.ts'
import type { ExtensionOffer } from './extensions.ts'

/** What client and server agreed on for permessage-deflate (RFC 7692). */
export interface DeflateAgreement {
  /** The largest window that we may compress with; `compress` takes it. */
  readonly maxWindowBits: number
  /** The value of our Sec-WebSocket-Extensions header. */
  readonly header: string
}

/**
 * Chooses the first offer that makes sense. Both directions go without context takeover, whether the client asks for it or
 * not: then compressed frames can be shared, and no connection needs a zlib of its own. An offer with an unknown,
 * repeated or invalid parameter is declined (RFC 7692 section 7.1), and the next one looked at.
 *
 * @returns null where none remains; messages are then not compressed
 */
export function negotiateDeflate(offers: readonly ExtensionOffer[]): DeflateAgreement | null {
  for (const { name, parameters } of offers) {
    if (name !== 'permessage-deflate') continue
    const values = new Map(parameters)
    if (values.size < parameters.length || !parameters.every(isParameter)) continue
    const bits = values.get('server_max_window_bits')
    // A window that the client gives for its own side needs no answer: we inflate with the largest.
    if (bits === undefined) return WITHOUT_LIMIT
    return { maxWindowBits: Number(bits), header: `${WITHOUT_LIMIT.header}; server_max_window_bits=${bits}` }
  }
  return null
}

/**
 * Compresses a message, without the 00 00 ff ff at its end (RFC 7692 section 7.2.1). Messages of up to 256 bytes fit every
 * window, so what they give can be shared by all connections; longer ones only by those with the same `maxWindowBits`.
 *
 * One zlib stream per call: reusing one needs private functions of node:zlib, and what a stream costs is mostly its window,
 * so the window is no larger than the message needs. Measured on Node 26, 2026-11-21, with level 6: 100 bytes take 22 µs
 * with the default window and 6 to 8 µs so; 4,000 bytes 41 and 41; with level 3 instead 20, 64 KiB 170 instead of 740.
 *
 * @returns null when the result is not smaller, or `maxWindowBits` does not allow it: send the message as it is
 */
export function compress(data: Uint8Array, level: number = DEFAULT_LEVEL, maxWindowBits = 15): Buffer | null {
  const windowBits = Math.min(windowBitsFor(data.length), maxWindowBits)
  if (windowBits < LEAST_WINDOW_BITS && data.length > 256) return null
  const compressed = deflateRawSync(data, {
    level,
    windowBits: Math.max(windowBits, LEAST_WINDOW_BITS),
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: chunkFor(longestDeflated(data.length))
  })
  const length = compressed.length - TAIL_LENGTH
  return length < data.length ? compressed.subarray(0, length) : null
}

/**
 * Compresses to a whole stream of raw deflate (RFC 1951), as `DecompressionStream('deflate-raw')` takes it: it needs the final
 * block that permessage-deflate leaves out.
 *
 * @returns null when the result is not smaller
 */
export function deflateWhole(data: Uint8Array, level: number = DEFAULT_LEVEL): Buffer | null {
  const compressed = deflateRawSync(data, {
    level,
    windowBits: windowBitsFor(data.length),
    chunkSize: chunkFor(longestDeflated(data.length))
  })
  return compressed.length < data.length ? compressed : null
}

/**
 * Inflates what `CompressionStream('deflate-raw')` or `deflateWhole` gave.
 *
 * @param maxBytes at least 1
 * @throws SCZ_ERR_WS_MESSAGE_SIZE, SCZ_ERR_WS_COMPRESSED_DATA, as `inflate`; the latter also for what ends too early, or
 *   has more behind its end
 */
export function inflateWhole(data: Uint8Array, maxBytes: number): Buffer {
  const { buffer, engine } = inflateWithInfo(data, maxBytes)
  if (engine.bytesWritten !== data.length) throw new ScherzoError('SCZ_ERR_WS_COMPRESSED_DATA')
  return buffer
}

/**
 * Inflates a message (RFC 7692 section 7.2.2). Synchronous whatever the size: 1 MiB takes 0.8 ms, 4,000 bytes 9 µs, and
 * 256 MiB in 255 KiB are refused after 0.15 ms (Node 26, 2026-11-21); messages stay in order without a queue.
 *
 * @param maxBytes at least 1
 * @throws SCZ_ERR_WS_MESSAGE_SIZE, close code 1009, having produced no more than `maxBytes` and one chunk of 16 KiB
 * @throws SCZ_ERR_WS_COMPRESSED_DATA, close code 1007: the RFCs name none for it, and `ws` uses this one, too
 */
export function inflate(data: Uint8Array, maxBytes: number): Buffer {
  // Should be 00 (section 7.2.3.6), but zlib gives nothing at all where a client flushes twice, and `ws` takes that.
  if (data.length === 0) return NOTHING
  const { buffer, engine } = inflateWithInfo(Buffer.concat([data, ENDING]), maxBytes)
  if (engine.bytesWritten === data.length + ENDING.length) return buffer
  // The message has a final block of its own. A sender may do so, and pads it with an empty block (section 7.2.3.4); more
  // than that, zlib would have dropped without a word.
  const unread = data.length - engine.bytesWritten
  if (unread !== 0 && (unread !== 1 || data[data.length - 1] !== 0)) {
    throw new ScherzoError('SCZ_ERR_WS_COMPRESSED_DATA')
  }
  return buffer
}

/**
 * What a message of `length` bytes may take when it is deflated: noise gets longer, by an eighth where zlib has as little
 * memory as it can do with (its deflateBound). Without this, such a message just below the limit would be refused.
 */
export function longestDeflated(length: number): number {
  return length + Math.ceil(length / 8) + Math.ceil(length / 64) + 16
}

const DEFAULT_LEVEL = 3
/** Few messages inflate to more than this many times their length. */
const USUAL_RATIO = 8
/** zlib can't make a raw stream for the smallest window, 8 bits, and takes 9 instead. */
const LEAST_WINDOW_BITS = 9
/** The length of the empty block that ends every message and is not sent: 00 00 ff ff. */
const TAIL_LENGTH = 4
/** The same, then an empty final block: only so zlib tells a whole message from one that is cut off. */
const ENDING = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x03, 0x00])
const NOTHING = Buffer.alloc(0)

const WITHOUT_LIMIT: DeflateAgreement = {
  maxWindowBits: 15,
  header: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
}

function isParameter([name, value]: readonly [string, string | true]): boolean {
  switch (name) {
    case 'server_no_context_takeover':
    case 'client_no_context_takeover':
      return value === true
    case 'server_max_window_bits':
      return value !== true && WINDOW_BITS.test(value)
    case 'client_max_window_bits':
      return value === true || WINDOW_BITS.test(value)
    default:
      return false
  }
}

/** RFC 7692 section 7.1.2: 8 to 15, without leading zeros. */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/

/** The least window that all of `length` bytes fit in: zlib keeps 262 bytes of it for itself. */
function windowBitsFor(length: number): number {
  return Math.min(15, Math.max(LEAST_WINDOW_BITS, 32 - Math.clz32(length + 261)))
}

/**
 * How much zlib gives at a time, which it takes memory for at once: its own 16 KiB are most of what a short message costs. With
 * less, inflating 140 bytes takes 0.54 of the time and 4,000 bytes 0.6, compressing them 0.71 and 0.91 (Node 26, 2026-11-21).
 */
function chunkFor(bytes: number): number {
  return Math.min(LARGEST_CHUNK, Math.max(LEAST_CHUNK, bytes))
}

const LEAST_CHUNK = 1024
const LARGEST_CHUNK = 16_384

interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function inflateWithInfo(data: Uint8Array, maxBytes: number): Inflated {
  try {
    const result: unknown = inflateRawSync(data, {
      maxOutputLength: maxBytes,
      info: true,
      chunkSize: chunkFor(data.length * USUAL_RATIO)
    })
    return result as Inflated
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ScherzoError('SCZ_ERR_WS_MESSAGE_SIZE', [maxBytes])
    }
    throw new ScherzoError('SCZ_ERR_WS_COMPRESSED_DATA', [], { cause: error })
  }
}
