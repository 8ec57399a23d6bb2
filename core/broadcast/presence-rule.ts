import type { ChannelRule, ChannelRules } from './channel-rules.ts'

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

const MAX_NAME_BYTES = 1023

const DEFAULTS: Required<PresenceRule> = { maxMembers: 1000, interval: 200 }
