import { Backlog } from './backlog.ts'
import type { Channel } from './channel.ts'
import type { Message } from './message.ts'
import type { SlowPolicy } from './subscriptions.ts'
import type { Totals } from './totals.ts'

/**
 * What is held back for one stalled member: a backlog for the channels under its own policy, and one for each channel that
 * has a policy by its rule. Only messages of one channel have an order, and these are all in one backlog.
 */
export class Backlogs {
  readonly #totals: Totals
  readonly #common: Backlog
  /** Of channels that have their own. */
  #own: Map<Channel, Backlog> | null = null
  /** The common one first. */
  readonly #all: Backlog[]
  #turn = 0

  constructor(totals: Totals, policy: SlowPolicy) {
    this.#totals = totals
    this.#common = new Backlog(totals, policy)
    this.#all = [this.#common]
  }

  get all(): readonly Backlog[] {
    return this.#all
  }

  get isEmpty(): boolean {
    return this.#all.every((backlog) => backlog.isEmpty)
  }

  /** When the oldest message was read, or null. */
  get since(): number | null {
    const times = this.#all.flatMap(({ first }) => (first === null ? [] : [first.readAt]))
    return times.length === 0 ? null : Math.min(...times)
  }

  /** @param messages at least one, all of one channel */
  hold(messages: readonly Message[]): Backlog {
    const backlog = this.#backlogOf(messages[0]!.channel)
    for (const message of messages) backlog.push(message)
    return backlog
  }

  /** One that has something for the member, each in turn, or null. */
  next(): Backlog | null {
    for (let count = 0; count < this.#all.length; count++) {
      this.#turn = (this.#turn + 1) % this.#all.length
      const backlog = this.#all[this.#turn]!
      if (!backlog.isEmpty) return backlog
    }
    return null
  }

  /** The member gets nothing more of the channel. @returns how many messages it had held back or missed there */
  forget(channel: Channel): number {
    const own = this.#own?.get(channel)
    if (own === undefined) return this.#common.forget(channel)
    this.#own!.delete(channel)
    this.#all.splice(this.#all.indexOf(own), 1)
    return own.clear()
  }

  /** @returns how many messages it had held back or missed */
  clear(): number {
    return this.#all.reduce((count, backlog) => count + backlog.clear(), 0)
  }

  #backlogOf(channel: Channel): Backlog {
    if (channel.slow === null) return this.#common
    this.#own ??= new Map()
    const known = this.#own.get(channel)
    if (known !== undefined) return known
    const backlog = new Backlog(this.#totals, channel.slow)
    this.#own.set(channel, backlog)
    this.#all.push(backlog)
    return backlog
  }
}
