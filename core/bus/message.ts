import { ScherzoError } from '../errors.ts'
import type { ChannelSlot } from './channel-slots.ts'
import {
  CHANNEL,
  DATA_LENGTH,
  FLAGS,
  FLAG_LARGE,
  FLAG_NEW_SLOT,
  FLAG_ONCE,
  FLAG_TEXT,
  HEADER_BYTES,
  MAX_NAME_BYTES,
  META_LENGTH,
  NAME_LENGTHS,
  PUBLISHER,
  SEQUENCE,
  SIZE,
  TIME
} from './record.ts'
import { type RingWriter, align } from './ring.ts'

export interface PublishOptions {
  /** A later message with the same key may stand in for this one. */
  readonly key?: string
  /** Goes with the message as it is. */
  readonly meta?: string
  /** Publishes nothing where the channel had a message with the same one lately; goes in the place of `meta`. */
  readonly idempotencyKey?: string
}

/** What goes into one record. Text is sent as UTF-8. */
export interface Message {
  readonly data: string | Uint8Array
  readonly key: string
  readonly meta: string
  /** Whether the meta is an idempotency key. */
  readonly isOnce: boolean
}

/** A message that goes around the ring, on its way to the sequencer. */
export interface LargeMessage {
  readonly sequence: number
  readonly data: Uint8Array<SharedArrayBuffer>
}

/** The most that the message may need in the ring, without counting its bytes one by one. */
export function boundOf({ data, key, meta }: Message, { name }: ChannelSlot): number {
  const dataBound = typeof data === 'string' ? data.length * UTF8_BYTES_PER_UNIT : data.length
  return align(HEADER_BYTES + dataBound + name.length + (key.length + meta.length) * UTF8_BYTES_PER_UNIT)
}

/** The size of a record with this much data. */
export function sizeOf(dataLength: number, { key, meta }: Message, { name }: ChannelSlot): number {
  return align(HEADER_BYTES + dataLength + name.length + Buffer.byteLength(key) + Buffer.byteLength(meta))
}

export function dataLengthOf(data: string | Uint8Array): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.length
}

/** Fills in the record at the index that `writer` has claimed and commits it. Of a large message all but the data. */
export function writeMessage(
  writer: RingWriter,
  at: number,
  message: Message,
  slot: ChannelSlot,
  publisher: number,
  sequence: number,
  largeBytes: number
): void {
  const { words, floats, bytes } = writer.ring
  const { data, key, meta, isOnce } = message
  const { name } = slot
  const isLarge = largeBytes > 0
  let flags = typeof data === 'string' ? FLAG_TEXT : 0
  if (!slot.isKnown) flags |= FLAG_NEW_SLOT
  if (isOnce) flags |= FLAG_ONCE

  let dataLength = largeBytes
  let end = at + HEADER_BYTES
  if (isLarge) flags |= FLAG_LARGE
  else {
    dataLength = typeof data === 'string' ? bytes.write(data, end) : writeBytes(bytes, data, end)
    end += dataLength
  }
  end += writeBytes(bytes, name, end)
  const keyLength = key === '' ? 0 : bytes.write(key, end)
  end += keyLength
  const metaLength = meta === '' ? 0 : bytes.write(meta, end)
  end += metaLength

  const size = align(end - at)
  const word = at >> 2
  words[word + SIZE] = size
  words[word + FLAGS] = flags
  words[word + PUBLISHER] = publisher
  words[word + CHANNEL] = slot.slot
  words[word + NAME_LENGTHS] = name.length | (keyLength << 16)
  words[word + META_LENGTH] = metaLength
  words[word + DATA_LENGTH] = dataLength
  floats[(at >> 3) + SEQUENCE] = sequence
  floats[(at >> 3) + TIME] = Date.now()
  writer.commit(size)
}

/** @throws SCZ_ERR_BUS_NAME for a channel, key or meta that is too long */
export function checkNames(channel: ChannelSlot, { key, meta }: Message): void {
  checkName('channel name', channel.name.length)
  if (key !== '') checkName('key', Buffer.byteLength(key))
  if (meta !== '') checkName('meta', Buffer.byteLength(meta))
}

/** A UTF-16 code unit is at most 3 bytes in UTF-8; a pair of them is 4. */
const UTF8_BYTES_PER_UNIT = 3

function checkName(what: string, bytes: number): void {
  if (bytes > MAX_NAME_BYTES) throw new ScherzoError('SCZ_ERR_BUS_NAME', [what, bytes, MAX_NAME_BYTES])
}

function writeBytes(target: Buffer, source: Uint8Array, at: number): number {
  // Node 26.10, 2026-11: up to about 24 bytes a loop is faster than the call.
  if (source.length > LOOP_BYTES) target.set(source, at)
  else for (let index = 0; index < source.length; index++) target[at + index] = source[index]!
  return source.length
}

const LOOP_BYTES = 24
