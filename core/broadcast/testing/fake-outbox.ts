import { inflate, inflateWhole } from '../../websocket/deflate.ts'
import type { Closable, Outbox } from '../subscriptions.ts'
import { TAG } from '../wrapping.ts'
import type { Since } from '../since.ts'

/** An outbox that keeps what it is given as the client would get it, and stalls when told to. */
export class FakeOutbox implements Outbox {
  isStalled = false
  stalledSince: number | null = null
  onDrain: (() => void) | null = null
  onPlace: ((channel: string, place: Since) => void) | null = null
  bufferedBytes = 0
  /** Frames of the server, one after the other. */
  readonly #sent: Buffer[] = []
  /** Whether binary messages have a tag, as in the subprotocol that compresses. */
  isTagged = false
  /** How often something was handed over. */
  sends = 0
  /** Stalls again behind so many bytes after a drain. */
  stallAfter: number = Infinity
  #sinceDrain = 0

  send(frame: Buffer): void {
    this.sends++
    this.#sent.push(frame)
    this.#sinceDrain += frame.length
  }

  flush(): void {
    if (this.#sinceDrain >= this.stallAfter) this.isStalled = true
  }

  stall(): void {
    this.isStalled = true
  }

  drain(): void {
    this.isStalled = false
    this.#sinceDrain = 0
    this.onDrain?.()
  }

  /** All messages so far, inflated, those of batches one by one, and parsed if they are JSON. */
  get messages(): unknown[] {
    return this.received.flatMap((message): unknown => message)
  }

  /** The same with batches as arrays. */
  get received(): unknown[] {
    return this.wire.map((each) => this.#open(each))
  }

  /** What came over the wire. */
  get wire(): WireMessage[] {
    return wireMessages(Buffer.concat(this.#sent))
  }

  /** The data of the messages so far, without skip notices. */
  get data(): unknown[] {
    return this.messages.filter(isDelivery).map(({ data }) => data)
  }

  #open({ isText, isDeflated, payload }: WireMessage): unknown {
    const bytes = isDeflated ? inflate(payload, LIMIT) : payload
    if (isText) return JSON.parse(bytes.toString())
    if (!this.isTagged) return isJson(bytes) ? JSON.parse(bytes.toString()) : bytes
    const rest = bytes.subarray(1)
    return bytes[0] === TAG.deflatedText ? JSON.parse(inflateWhole(rest, LIMIT).toString()) : rest
  }
}

export interface Delivery {
  readonly channel?: string
  readonly offset: number
  readonly data: unknown
}

export interface Notice {
  readonly channel?: string
  readonly skipped: { readonly from: number; readonly to: number; readonly count: number }
}

export function isDelivery(message: unknown): message is Delivery {
  return typeof message === 'object' && message !== null && 'data' in message
}

export function isNotice(message: unknown): message is Notice {
  return typeof message === 'object' && message !== null && 'skipped' in message
}

export interface WireMessage {
  readonly isText: boolean
  /** By permessage-deflate. */
  readonly isDeflated: boolean
  readonly payload: Buffer
}

const LIMIT = 2 ** 30

/** The header of bytes begins with the length of a channel's name, which is below 1025. */
function isJson(bytes: Buffer): boolean {
  return bytes[0] === 0x7b || bytes[0] === 0x5b
}

function wireMessages(bytes: Buffer): WireMessage[] {
  const payloads = []
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1]!
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      header === 2 ? short : header === 4 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
    const start = at + header
    const first = bytes[at]!
    payloads.push({
      isText: (first & 0x0f) === 1,
      isDeflated: (first & 0x40) !== 0,
      payload: bytes.subarray(start, start + length)
    })
    at = start + length
  }
  return payloads
}

/** For members that nobody closes. */
export const unclosed: Closable = { close: () => {} }
