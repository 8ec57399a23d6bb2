import type { Outbox } from '../subscriptions.ts'

/** An outbox that keeps what it is given as the client would get it, and stalls when told to. */
export class FakeOutbox implements Outbox {
  isStalled = false
  stalledSince: number | null = null
  onDrain: (() => void) | null = null
  bufferedBytes = 0
  /** Frames of the server, one after the other. */
  readonly #sent: Buffer[] = []
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

  /** All messages so far, parsed if they are text. */
  get messages(): unknown[] {
    return payloadsOf(Buffer.concat(this.#sent)).map(({ isText, payload }) =>
      isText ? JSON.parse(payload.toString()) : payload
    )
  }

  /** The data of the messages so far, without skip notices. */
  get data(): unknown[] {
    return this.messages.filter(isDelivery).map(({ data }) => data)
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

function payloadsOf(bytes: Buffer): { isText: boolean; payload: Buffer }[] {
  const payloads = []
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1]!
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      header === 2 ? short : header === 4 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
    const start = at + header
    payloads.push({ isText: bytes[at] === 0x81, payload: bytes.subarray(start, start + length) })
    at = start + length
  }
  return payloads
}
