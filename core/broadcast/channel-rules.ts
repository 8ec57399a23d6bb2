import { ScherzoError } from '../errors.ts'
import { isPresenceName } from './data.ts'
import { type PresenceRule, isSamePresence, problemOfPresence } from './presence-rule.ts'

/** What holds for channels by their name. The most specific rule that matches a channel is the only one that holds for it. */
export interface ChannelRule {
  /** How much of its past a channel keeps for those who come back. @default none */
  readonly history?: HistoryRule
  /** Whether it is known, and told to those who may see it, who is in a channel. @default no */
  readonly presence?: true | PresenceRule
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
   * @returns whether anything is different now
   */
  set(pattern: string, rule: ChannelRule): boolean {
    checkRule(pattern, rule)
    const earlier = this.#patterns.find(({ text }) => text === pattern)
    if (earlier !== undefined && isSame(earlier.rule, rule)) return false
    const others = this.#patterns.filter((other) => other !== earlier)
    this.#patterns = [...others, new Pattern(pattern, rule)].toSorted(bySpecificity)
    this.#known.clear()
    return true
  }

  /** The rule that holds for the channel, or null. */
  of(channel: string): ChannelRule | null {
    if (isPresenceName(channel)) return null
    const known = this.#known.get(channel)
    if (known !== undefined) return known
    const segments = channel.split(SEPARATOR)
    const rule = this.#patterns.find((pattern) => pattern.matches(segments))?.rule ?? null
    if (this.#known.size === MAX_KNOWN) this.#known.clear()
    this.#known.set(channel, rule)
    return rule
  }
}

/** @throws SCZ_ERR_HUB_RULE */
export function checkRule(pattern: string, rule: ChannelRule): void {
  const problem = problemOfPattern(pattern) ?? problemOfRule(rule)
  if (problem !== null) throw new ScherzoError('SCZ_ERR_HUB_RULE', [String(pattern), problem])
}

const OPTIONS: ReadonlySet<string> = new Set(['history', 'presence'] satisfies (keyof ChannelRule)[])
const SEPARATOR = ':'
const ANY = '*'
const MAX_KNOWN = 10_000
const MAX_PATTERN_BYTES = 1024
const MAX_SIZE = 1_000_000
const A_YEAR = 366 * 86_400

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
  return (
    one.history?.size === other.history?.size &&
    one.history?.age === other.history?.age &&
    isSamePresence(one, other)
  )
}

function problemOfPattern(pattern: unknown): string | null {
  if (typeof pattern !== 'string' || pattern === '') return 'the pattern has to be a string that is not empty'
  if (!pattern.isWellFormed() || Buffer.byteLength(pattern) > MAX_PATTERN_BYTES)
    return `the pattern has more than ${MAX_PATTERN_BYTES} bytes or is not well formed`
  const isWrong = pattern.split(SEPARATOR).some((segment) => segment !== ANY && segment.includes(ANY))
  return isWrong ? 'a star stands for a whole segment, as in room:*' : null
}

function problemOfRule(rule: unknown): string | null {
  if (typeof rule !== 'object' || rule === null) return 'the rule has to be an object'
  for (const name of Object.keys(rule)) if (!OPTIONS.has(name)) return `it has no option "${name}"`
  const { history, presence } = rule as Partial<Record<keyof ChannelRule, unknown>>
  return problemOfHistory(history) ?? problemOfPresence(presence)
}

function problemOfHistory(history: unknown): string | null {
  if (history === undefined) return null
  if (typeof history !== 'object' || history === null) return 'history has to be { size, age }'
  const { size, age } = history as { readonly size?: unknown; readonly age?: unknown }
  if (!Number.isInteger(size) || (size as number) < 1 || (size as number) > MAX_SIZE)
    return `history.size has to be a whole number from 1 to ${MAX_SIZE}`
  if (typeof age !== 'number' || !(age > 0 && age <= A_YEAR))
    return `history.age has to be seconds, more than 0 and up to ${A_YEAR}`
  return null
}
