/** A message that is kept. */
export interface KeptMessage {
  /**
   * One character for each byte. A string of its own, because small buffers share memory: one that stays would keep that of
   * its neighbours of other channels.
   */
  readonly data: string
  /** Whether the data is JSON. */
  readonly isText: boolean
  readonly key: string | null
  /** When it was published, in milliseconds since 1970. */
  readonly time: number
}

/** What is kept of one channel: consecutive messages, of which only the oldest go. */
export class KeptMessages {
  /** Those before `#start` are gone. */
  #messages: (KeptMessage | null)[] = []
  #start = 0
  /** The offset of the last message. */
  last: number
  bytes = 0

  /** @param last the offset of the message before the first that is kept */
  constructor(last: number) {
    this.last = last
  }

  get size(): number {
    return this.#messages.length - this.#start
  }

  /** The offset of the oldest one; behind the last if nothing is kept. */
  get first(): number {
    return this.last - this.size + 1
  }

  get oldest(): KeptMessage | null {
    return this.#messages[this.#start] ?? null
  }

  push(message: KeptMessage): void {
    this.#messages.push(message)
    this.bytes += weightOf(message)
    this.last++
  }

  shift(): void {
    const { oldest } = this
    if (oldest === null) return
    this.bytes -= weightOf(oldest)
    this.#messages[this.#start++] = null
    if (this.#start < COMPACT_AT || this.#start * 2 < this.#messages.length) return
    this.#messages = this.#messages.slice(this.#start)
    this.#start = 0
  }

  /** Messages from this offset on, at most so many and so many bytes, but one in any case. */
  from(offset: number, limit: number, maxBytes: number): KeptMessage[] {
    const messages: KeptMessage[] = []
    let bytes = 0
    for (let index = this.#start + offset - this.first; index < this.#messages.length; index++) {
      const message = this.#messages[index]!
      bytes += weightOf(message)
      if (messages.length === limit || (messages.length > 0 && bytes > maxBytes)) break
      messages.push(message)
    }
    return messages
  }
}

/** What a message counts for, in bytes. */
function weightOf({ data, key }: KeptMessage): number {
  return MESSAGE_OVERHEAD + data.length + (key === null ? 0 : key.length)
}

/** What a message takes beside its data, roughly. */
const MESSAGE_OVERHEAD = 128

/** Far below this, what is gone is not worth a copy of the rest. */
const COMPACT_AT = 64
