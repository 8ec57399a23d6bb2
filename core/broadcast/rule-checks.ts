import { ScherzoError } from '../errors.ts'
import type { ChannelRule } from './channel-rules.ts'
import { isPermission } from './permission.ts'
import type { PresenceRule } from './presence-rule.ts'
import { isSlowPolicy } from './subscriptions.ts'

/** Between the segments of a channel's name. */
export const SEPARATOR = ':'
/** Stands for any one segment in a pattern. */
export const ANY = '*'

/** @throws SCZ_ERR_HUB_RULE */
export function checkRule(pattern: string, rule: ChannelRule): void {
  const problem = problemOfPattern(pattern) ?? problemOfRule(rule)
  if (problem !== null) throw new ScherzoError('SCZ_ERR_HUB_RULE', [String(pattern), problem])
}

const MAX_PATTERN_BYTES = 1024
const MAX_SIZE = 1_000_000
const A_YEAR = 366 * 86_400
const MAX_BYTES = 2 ** 30
/** With the longest ids and data, a message that names them all still fits the bus. */
const MOST_MEMBERS = 5000

/** What is wrong with the value of an option, or null. */
const PROBLEMS: { readonly [Name in keyof Required<ChannelRule>]: (value: unknown) => string | null } = {
  history: problemOfHistory,
  presence: problemOfPresence,
  subscribe: (value) => problemOfPermission('subscribe', value),
  publish: (value) => problemOfPermission('publish', value),
  seePresence: (value) => problemOfPermission('seePresence', value),
  key: (value) =>
    typeof value === 'function' || (typeof value === 'string' && value !== '')
      ? null
      : 'key has to be the name of a property, or a function that gives a string or null',
  slow: (value) =>
    isSlowPolicy(value)
      ? null
      : 'slow has to be { policy: "close", "skip" or "latest", maxBytes, maxAge in milliseconds }',
  maxMessageBytes: (value) =>
    isWithin(value, 1, MAX_BYTES) ? null : `maxMessageBytes has to be a whole number from 1 to ${MAX_BYTES}`
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
  for (const [name, value] of Object.entries(rule)) {
    if (!Object.hasOwn(PROBLEMS, name)) return `it has no option "${name}"`
    const problem = value === undefined ? null : PROBLEMS[name as keyof ChannelRule](value)
    if (problem !== null) return problem
  }
  return null
}

function problemOfHistory(history: unknown): string | null {
  if (typeof history !== 'object' || history === null) return 'history has to be { size, age }'
  const { size, age } = history as { readonly size?: unknown; readonly age?: unknown }
  if (!isWithin(size, 1, MAX_SIZE)) return `history.size has to be a whole number from 1 to ${MAX_SIZE}`
  if (typeof age !== 'number' || !(age > 0 && age <= A_YEAR))
    return `history.age has to be seconds, more than 0 and up to ${A_YEAR}`
  return null
}

function problemOfPresence(presence: unknown): string | null {
  if (presence === true) return null
  if (typeof presence !== 'object' || presence === null)
    return 'presence has to be true or { maxMembers, interval }'
  const { maxMembers, interval, ...rest } = presence as Partial<Record<keyof PresenceRule, unknown>>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) return `presence has no option "${unknown}"`
  if (maxMembers !== undefined && !isWithin(maxMembers, 1, MOST_MEMBERS))
    return `presence.maxMembers has to be a whole number from 1 to ${MOST_MEMBERS}`
  if (interval !== undefined && !isWithin(interval, 10, 60_000))
    return 'presence.interval has to be whole milliseconds from 10 to 60000'
  return null
}

function problemOfPermission(name: string, value: unknown): string | null {
  return isPermission(value) ? null : `${name} has to be "all", "identified", "none" or a function`
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}
