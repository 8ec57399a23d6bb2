import { frame as emptyFrame, payloadOf } from '../websocket/frames.ts'
import { TEXT } from '../websocket/opcodes.ts'
import type { Channel } from './channel.ts'
import type { Format } from './format.ts'
import type { Message } from './message.ts'
import { wrap } from './wrapping.ts'
import type { Since } from './since.ts'

/** What a batch has at most, in bytes of envelopes, unless a single message has more. */
export const BATCH_BYTES = 65_536

/** The frames of messages that all subscribers of a format get together. */
export function framesOf(messages: readonly Message[], format: Format): Buffer[] {
  const { pace } = format
  if (pace === null) return messages.map((message) => message.frameIn(format))
  const frames: Buffer[] = []
  for (let start = 0; start < messages.length;) {
    const end = endOfBatch(messages, start, start + pace.size)
    frames.push(frameOf(messages.slice(start, end), format, true))
    start = end
  }
  return frames
}

/**
 * The frames of messages for one subscriber: one that has fallen behind, has just come or comes back. What is made for it alone
 * is not compressed: it would cost as much as for all. So batches end at fixed offsets, and those that lie between two of them
 * are kept for others who want the same, and compressed.
 */
export function framesApart(messages: readonly Message[], format: Format): FrameApart[] {
  const { pace } = format
  if (pace === null) return messages.map((each) => apart([each], each.frameIn(format)))
  const step = Math.min(pace.size, STEP)
  const frames: FrameApart[] = []
  let isShared = false
  for (let start = 0; start < messages.length;) {
    const first = messages[start]!
    isShared = first.offset % step === 0 || (isShared && follows(messages[start - 1]!, first))
    const limit = start + step - (first.offset % step)
    const end = endOfBatch(messages, start, limit)
    const batch = messages.slice(start, end)
    const isWhole = isShared && end < messages.length && follows(batch.at(-1)!, messages[end]!)
    const frame = isWhole
      ? first.batchIn(format, batch.length, () => frameOf(batch, format, true))
      : frameOf(batch, format, false)
    frames.push(apart(batch, frame))
    start = end
  }
  return frames
}

/** A frame, and what it is counted for. */
export interface FrameApart {
  readonly frame: Buffer
  readonly channel: Channel
  /** Messages in it. */
  readonly count: number
  /** Of its last message. */
  readonly place: Since
}

function apart(batch: readonly Message[], frame: Buffer): FrameApart {
  return { frame, channel: batch[0]!.channel, count: batch.length, place: batch.at(-1)! }
}

/** In offsets. */
const STEP = 64

/** A batch has consecutive messages of one channel. Bytes are no JSON, and go alone. */
function endOfBatch(messages: readonly Message[], start: number, limit: number): number {
  const first = messages[start]!
  let end = start + 1
  if (!first.isText) return end
  let bytes = first.frame.length
  for (; end < messages.length && end < limit; end++) {
    const next = messages[end]!
    bytes += next.frame.length
    if (!next.isText || bytes > BATCH_BYTES || !follows(messages[end - 1]!, next)) break
  }
  return end
}

function follows(before: Message, { channel, offset }: Message): boolean {
  return before.channel === channel && before.offset + 1 === offset
}

/** A batch of one is the message itself: clients tell an array from an object. */
function frameOf(batch: readonly Message[], format: Format, isShared: boolean): Buffer {
  const first = batch[0]!
  const { totals } = first.channel
  totals.batchSizes.observe(batch.length, 1)
  if (batch.length === 1) return first.frameIn(format)
  return wrap(arrayOf(batch), format, isShared ? first.channel : null)
}

/** A text frame with the envelopes as a JSON array. */
function arrayOf(batch: readonly Message[]): Buffer {
  const payloads = batch.map(({ frame }) => payloadOf(frame))
  const length = payloads.reduce((sum, payload) => sum + payload.length + 1, 1)
  const bytes = emptyFrame(TEXT, length)
  let at = bytes.length - length
  let before = OPENING_BRACKET
  for (const payload of payloads) {
    bytes[at] = before
    bytes.set(payload, at + 1)
    at += 1 + payload.length
    before = COMMA
  }
  bytes[at] = CLOSING_BRACKET
  return bytes
}

const OPENING_BRACKET = 0x5b
const COMMA = 0x2c
const CLOSING_BRACKET = 0x5d
