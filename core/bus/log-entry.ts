import type { Delivery } from './broker.ts'
import type { Log } from './log.ts'
import {
  CHANNEL,
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
  SIZE,
  TIME
} from './record.ts'
import { RECORD_SHARE } from './memory.ts'
import { align } from './ring.ts'

/** Something that a broker has delivered, or that stands for what it can't deliver, on its way to the log. */
export interface LogEntry extends Omit<Delivery, 'channel'> {
  readonly isGap: boolean
  readonly channel: { readonly name: Buffer; readonly number: number }
}

/** @returns false while there is no room for it */
export function writeEntry(log: Log, entry: LogEntry): boolean {
  const { writer } = log
  const { words, floats, bytes, capacity } = writer.ring
  const { channel, key, meta, data, epoch } = entry
  const keyLength = Buffer.byteLength(key)
  const metaLength = Buffer.byteLength(meta)
  const besides = HEADER_BYTES + channel.name.length + keyLength + metaLength + EPOCH_BYTES
  const isLarge = align(besides + data.length) > capacity / RECORD_SHARE
  const size = align(besides + (isLarge ? 0 : data.length))
  const at = writer.claim(size)
  if (at === -1 || (isLarge && !log.hasRoomForLarge(data.length))) return false
  if (isLarge) log.sendLarge({ sequence: 0, data: shared(data) }, size)

  const word = at >> 2
  words[word + SIZE] = size
  words[word + FLAGS] = flagsOf(entry, isLarge)
  words[word + PUBLISHER] = 0
  words[word + CHANNEL] = channel.number
  words[word + NAME_LENGTHS] = channel.name.length | (keyLength << 16)
  words[word + META_LENGTH] = metaLength
  words[word + DATA_LENGTH] = data.length
  floats[(at >> 3) + OFFSET] = entry.offset
  floats[(at >> 3) + SEQUENCE] = 0
  floats[(at >> 3) + TIME] = entry.time

  let end = at + HEADER_BYTES
  if (!isLarge) {
    bytes.set(data, end)
    end += data.length
  }
  bytes.set(channel.name, end)
  end += channel.name.length
  end += bytes.write(key, end)
  end += bytes.write(meta, end)
  bytes.write(epoch, end, EPOCH_BYTES, 'hex')
  writer.commit(size)
  return true
}

function flagsOf({ isText, isGap }: LogEntry, isLarge: boolean): number {
  return FLAG_EPOCH | (isText ? FLAG_TEXT : 0) | (isGap ? FLAG_GAP : 0) | (isLarge ? FLAG_LARGE : 0)
}

function shared(data: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(data.length))
  copy.set(data)
  return copy
}
