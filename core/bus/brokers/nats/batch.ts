import type { Delivery, Outgoing, Place } from '../../broker.ts'
import { decodeBody, encodeBody, readNumber } from '../body.ts'

/**
 * Consecutive messages of one channel, as one message of NATS:
 *
 *     16 bytes  epoch
 *      8 bytes  offset of the first message; one more than that of the last one before, where there is none here
 *      8 bytes  time, milliseconds since 1970
 *      8 bytes  where the batch before it stands in the stream; 0: this is the first
 *     16 bytes  tells this batch from all others
 *      4 bytes  how many messages
 *
 * and for each its length in 4 bytes and its body.
 */
export interface Batch {
  readonly epoch: string
  readonly first: number
  readonly time: number
  readonly previous: number
  readonly id: string
  readonly messages: readonly Buffer[]
}

const HEAD = 60
/** Whatever is shorter is of somebody else. */
export const MIN_BATCH_BYTES: number = HEAD
/** What a message takes in a batch beside its body, roughly. */
export const MESSAGE_OVERHEAD = 16

export function encodeBatch({ epoch, first, time, previous, id, messages }: Batch): Buffer {
  const head = Buffer.alloc(HEAD)
  head.write(epoch, 0, 'hex')
  writeNumber(head, first, 16)
  writeNumber(head, time, 24)
  writeNumber(head, previous, 32)
  head.write(id, 40, 'hex')
  head.writeUInt32BE(messages.length, 56)
  const parts: Buffer[] = [head]
  for (const message of messages) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(message.length)
    parts.push(length, message)
  }
  return Buffer.concat(parts)
}

export function decodeBatch(bytes: Uint8Array): Batch {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = buffer.readUInt32BE(56)
  const messages: Buffer[] = []
  for (let at = HEAD; messages.length < count;) {
    const end = at + 4 + buffer.readUInt32BE(at)
    messages.push(buffer.subarray(at + 4, end))
    at = end
  }
  return {
    epoch: buffer.toString('hex', 0, 16),
    first: readNumber(buffer, 16),
    time: readNumber(buffer, 24),
    previous: readNumber(buffer, 32),
    id: buffer.toString('hex', 40, 56),
    messages
  }
}

/** The place behind the batch. */
export function placeOf({ epoch, first, messages }: Batch): Place {
  return { epoch, offset: first + messages.length - 1 }
}

export function bodyOf(message: Outgoing): Buffer {
  return encodeBody(message)
}

export function deliveriesOf(channel: string, { epoch, first, time, messages }: Batch): Delivery[] {
  return messages.map((body, index) => ({ channel, epoch, offset: first + index, time, ...decodeBody(body) }))
}

function writeNumber(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  bytes.writeUInt32BE(value % 2 ** 32, at + 4)
}
