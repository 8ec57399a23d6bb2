import { framesApart, framesOf } from './batches.ts'
import type { Format } from './format.ts'
import type { Message } from './message.ts'

/** Consecutive messages of one channel in one format, to be written at once. */
export class Parcel {
  readonly messages: readonly Message[]
  readonly #format: Format
  readonly #isApart: boolean
  #bytes: Buffer | null = null

  /**
   * @param messages at least one
   * @param isApart whether it is for a few, and only what others want as well is worth compressing
   */
  constructor(messages: readonly Message[], format: Format, isApart = false) {
    this.messages = messages
    this.#format = format
    this.#isApart = isApart
  }

  get first(): number {
    return this.messages[0]!.ordinal
  }

  get last(): number {
    return this.messages.at(-1)!.ordinal
  }

  /** All frames in one: joined when somebody needs them, and once. */
  get bytes(): Buffer {
    return (this.#bytes ??= this.#join())
  }

  #join(): Buffer {
    const frames = this.#isApart
      ? framesApart(this.messages, this.#format).map(({ frame }) => frame)
      : framesOf(this.messages, this.#format)
    return frames.length === 1 ? frames[0]! : Buffer.concat(frames)
  }
}
