import type { Ring } from './ring.ts'

/**
 * A record, in inboxes and in the log alike, so that the sequencer copies it as it is. Words of 32 bits, numbers of 64:
 *
 *     word 0  size of the record, see ring.ts       words 4-5    offset: a number, written by the sequencer
 *     word 1  flags                                 words 6-7    sequence: a number, counts the publisher's messages
 *     word 2  publisher                             words 8-9    time: a number, milliseconds since 1970
 *     word 3  in an inbox the slot of the channel,  word 10      bytes of the channel's name, of the key << 16
 *             in the log the channel's number       word 11      bytes of the meta
 *                                                   words 12-13  bytes of data; unused
 *
 * Then the data, the channel's name, the key and the meta. The name is in every record, so that a reader that comes late
 * or forgets can decode it; who has seen the slot or the number before need not. Decoding and looking up a name takes
 * 180 ns, a slot 6 ns (Node 26.10, 2026-11).
 */
export const HEADER_BYTES = 56

export const SIZE = 0
export const FLAGS = 1
export const PUBLISHER = 2
export const CHANNEL = 3
export const OFFSET = 2
export const SEQUENCE = 3
export const TIME = 4
export const NAME_LENGTHS = 10
export const META_LENGTH = 11
export const DATA_LENGTH = 12

/** The data is text in UTF-8. The bits from 6 on are reserved. */
export const FLAG_TEXT = 1
/** The data is not here: it comes through the port. */
export const FLAG_LARGE = 2
/** The first record of a channel in this slot since the slot was last used for another one. */
export const FLAG_NEW_SLOT = 4
/** The meta is an idempotency key: it is published unless the channel had one with the same lately. */
export const FLAG_ONCE = 8
/** The epoch of the channel, 16 bytes, is behind the meta. Where it is not, the bus has one for all channels. */
export const FLAG_EPOCH = 16
/**
 * The record stands for messages that can't be had any more, up to its offset. The data is the first of them, as a number in
 * decimal digits; with the bit for text, the epoch is one that the channel did not have before.
 */
export const FLAG_GAP = 32

export const EPOCH_BYTES = 16

/** Names, keys and metas are meant to be short, and a record of nothing else has to fit any ring. */
export const MAX_NAME_BYTES = 1024

/** One channel may be forgotten for another here; its next record brings the name again. */
export const CHANNEL_SLOTS = 4096

export function channelNameAt(ring: Ring, at: number): string {
  const { words, bytes } = ring
  const word = at >> 2
  const start = at + HEADER_BYTES + dataBytesInRing(words, word)
  return bytes.toString('utf8', start, start + (words[word + NAME_LENGTHS]! & 0xffff))
}

export function metaAt(ring: Ring, at: number): string {
  const { words, bytes } = ring
  const word = at >> 2
  const lengths = words[word + NAME_LENGTHS]!
  const start = at + HEADER_BYTES + dataBytesInRing(words, word) + (lengths & 0xffff) + (lengths >>> 16)
  return bytes.toString('utf8', start, start + words[word + META_LENGTH]!)
}

export function dataBytesInRing(words: Int32Array, word: number): number {
  return (words[word + FLAGS]! & FLAG_LARGE) === 0 ? words[word + DATA_LENGTH]! : 0
}
