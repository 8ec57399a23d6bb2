import { type ChannelRule, type ChannelRules } from './channel-rules.ts'

/** How those are told who is in a channel that want to know. */
export interface PresenceRule {
  /** Of more members only the number is told; from 1 to 5000. @default 1000 */
  readonly maxMembers?: number
  /**
   * For how long changes are gathered, in milliseconds, from 10 to 60000. Who leaves and is back within that time is no change.
   *
   * @default 200
   */
  readonly interval?: number
}

/** Whether those are known who are in the channel. A name of 1024 bytes leaves no room for the name under which they are told. */
export function hasPresence(rules: ChannelRules, channel: string): boolean {
  return rules.of(channel)?.presence !== undefined && Buffer.byteLength(channel) <= MAX_NAME_BYTES
}

export function limitsOf(rule: ChannelRule | null): Required<PresenceRule> {
  const presence = rule?.presence
  return presence === undefined || presence === true ? DEFAULTS : { ...DEFAULTS, ...presence }
}

export function isSamePresence(one: ChannelRule, other: ChannelRule): boolean {
  if (one.presence === undefined || other.presence === undefined) return one.presence === other.presence
  const [{ maxMembers, interval }, limits] = [limitsOf(one), limitsOf(other)]
  return maxMembers === limits.maxMembers && interval === limits.interval
}

/** @returns what is wrong with it, or null */
export function problemOfPresence(presence: unknown): string | null {
  if (presence === undefined || presence === true) return null
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

const MAX_NAME_BYTES = 1023

const DEFAULTS: Required<PresenceRule> = { maxMembers: 1000, interval: 200 }

/** With the longest ids and data, a message that names them all still fits the bus. */
const MOST_MEMBERS = 5000

function isWithin(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}
