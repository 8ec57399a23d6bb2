import type { Channel } from './channel.ts'
import type { Format } from './format.ts'
import type { Parcel } from './parcel.ts'
import type { Comeback } from './recovery.ts'
import type { Returner } from './returning.ts'

/** Somebody who wants to know who is in a channel: the state first, as if it were what was missed, and then the changes behind it. */
export class Watching implements Comeback {
  channel: Channel
  readonly #member: Returner
  /** Before everything, so that it always gets the state, whose offset is that of the last change in it. */
  readonly after = -1
  readonly epoch = null
  ordinal = 0
  isOver = false

  constructor(channel: Channel, member: Returner) {
    this.channel = channel
    this.#member = member
  }

  get format(): Format {
    return this.#member.format
  }

  advance(messages: Parcel | null): void {
    this.isOver = true
    this.#member.follow(this)
    if (messages !== null) this.#member.give(messages)
  }

  /** No offset is below its own. */
  refuse(): void {
    this.fail()
  }

  /** It has nothing of any epoch. */
  startAnew(): void {
    this.fail()
  }

  fail(): void {
    this.isOver = true
  }
}
