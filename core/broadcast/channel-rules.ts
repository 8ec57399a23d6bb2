import { isDeepStrictEqual } from 'node:util'
import { type HubData, isPresenceName } from './data.ts'
import type { Permission } from './permission.ts'
import { type PresenceRule, isSamePresence } from './presence-rule.ts'
import { ANY, SEPARATOR, checkRule } from './rule-checks.ts'
import type { SlowPolicy } from './subscriptions.ts'

/**
 * What holds for channels by their name. The most specific rule that matches a channel is the only one that holds for it.
 * Functions stay in the thread where they were set; the rest is told to the primary, too.
 */
export interface ChannelRule {
  /** How much of its past a channel keeps for those who come back. @default none */
  readonly history?: HistoryRule
  /** Whether it is known, and told to those who may see it, who is in a channel. @default no */
  readonly presence?: true | PresenceRule
  /**
   * Who of the clients may subscribe. Where the route has `authorize`, both have to say yes.
   *
   * @default whom the route's `authorize` lets; without it the app alone subscribes its sockets
   */
  readonly subscribe?: Permission
  /** Who of the clients may publish, likewise. */
  readonly publish?: Permission
  /** Who of the clients may see who is present, likewise. @default as `subscribe` */
  readonly seePresence?: Permission
  /**
   * The conflation key of what is published without one: a property of published objects, that is a string or a number, or a
   * function of the data that gives a string, or null for none.
   *
   * @default none
   */
  readonly key?: string | ((data: HubData) => string | null)
  /**
   * What becomes of subscribers that do not keep up with the channel, in place of what their route says. `maxBytes` is for this
   * channel alone, beside what may wait of others. Channels that have subscribers in the thread already go on as before.
   *
   * @default the route's
   */
  readonly slow?: Partial<SlowPolicy>
  /** The most bytes of data in one message of the channel. @default as much as any message may have, 64 MiB */
  readonly maxMessageBytes?: number
}

export interface HistoryRule {
  /** How many messages are kept, from 1 to 1000000. */
  readonly size: number
  /** For how long a message is kept, in seconds, up to a year. */
  readonly age: number
}

/** The rules that have been set, by pattern. */
export class ChannelRules {
  /** The most specific first. */
  #patterns: readonly Pattern[] = []
  /** What was looked up, up to so many channels: most messages are of a few. */
  readonly #known = new Map<string, ChannelRule | null>()

  /**
   * A later rule for the same pattern replaces the earlier.
   *
   * @throws SCZ_ERR_HUB_RULE
   * @returns whether anything is different now, functions aside
   */
  set(pattern: string, rule: ChannelRule): boolean {
    checkRule(pattern, rule)
    const earlier = this.#patterns.find(({ text }) => text === pattern)
    const others = this.#patterns.filter((other) => other !== earlier)
    this.#patterns = [...others, new Pattern(pattern, rule)].toSorted(bySpecificity)
    this.#known.clear()
    return earlier === undefined || !isSame(earlier.rule, rule)
  }

  /** Whether any rule says who may subscribe. */
  get sayWhoSubscribes(): boolean {
    return this.#patterns.some(({ rule }) => rule.subscribe !== undefined)
  }

  /** The rule that holds for the channel, or null. */
  of(channel: string): ChannelRule | null {
    if (this.#patterns.length === 0 || isPresenceName(channel)) return null
    const known = this.#known.get(channel)
    if (known !== undefined) return known
    const segments = channel.split(SEPARATOR)
    const rule = this.#patterns.find((pattern) => pattern.matches(segments))?.rule ?? null
    if (this.#known.size === MAX_KNOWN) this.#known.clear()
    this.#known.set(channel, rule)
    return rule
  }
}

/** What other threads can be told of a rule: all but its functions. */
export function dataOf(rule: ChannelRule): ChannelRule {
  const entries = Object.entries(rule).filter(([, value]) => typeof value !== 'function')
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

const MAX_KNOWN = 10_000

class Pattern {
  readonly text: string
  readonly rule: ChannelRule
  readonly segments: readonly string[]

  constructor(text: string, rule: ChannelRule) {
    this.text = text
    this.rule = rule
    this.segments = text.split(SEPARATOR)
  }

  /** A star stands for one segment that is not empty. */
  matches(segments: readonly string[]): boolean {
    return (
      segments.length === this.segments.length &&
      this.segments.every((own, index) => (own === ANY ? segments[index] !== '' : own === segments[index]))
    )
  }
}

/** Two patterns that match one channel differ where one has a star: the first such segment from the left decides. */
function bySpecificity(one: Pattern, other: Pattern): number {
  for (const [index, segment] of one.segments.entries()) {
    const difference = Number(segment === ANY) - Number(other.segments[index] === ANY)
    if (difference !== 0) return difference
  }
  return 0
}

function isSame(one: ChannelRule, other: ChannelRule): boolean {
  const [{ presence: _one, ...rest }, { presence: _other, ...otherRest }] = [dataOf(one), dataOf(other)]
  return isSamePresence(one, other) && isDeepStrictEqual(rest, otherRest)
}
