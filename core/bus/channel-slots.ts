import { CHANNEL_SLOTS } from './record.ts'

export interface ChannelSlot {
  readonly slot: number
  readonly name: Buffer
  /** Whether the sequencer knows which channel the slot stands for. */
  isKnown: boolean
}

/**
 * The channels that a publisher has used lately, each with its encoded name and a small number. The number saves the
 * sequencer decoding and looking up the name of every record.
 */
export class ChannelSlots {
  readonly #slots = new Map<string, ChannelSlot>()
  #last: ChannelSlot | null = null
  #lastChannel: string | null = null

  find(channel: string): ChannelSlot {
    if (channel === this.#lastChannel) return this.#last!
    const slot = this.#slots.get(channel) ?? this.#add(channel)
    this.#last = slot
    this.#lastChannel = channel
    return slot
  }

  #add(channel: string): ChannelSlot {
    // To start all over is cheaper than to keep track of use, and seldom: it takes thousands of channels.
    if (this.#slots.size === CHANNEL_SLOTS) this.#slots.clear()
    const slot = { slot: this.#slots.size, name: Buffer.from(channel), isKnown: false }
    this.#slots.set(channel, slot)
    return slot
  }
}
