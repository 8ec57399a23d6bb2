import type { Settings } from '../../core/settings.ts'
import type { Rate } from '../../core/token-bucket.ts'

/** What a client may do, each with the setting of the same name as its default; 0 is no limit. */
export interface ClientLimits {
  /**
   * Messages of one socket. On routes without the protocol, no more is read from a socket that sends faster; with it, requests
   * beyond the limit are refused, all but those to subscribe.
   */
  readonly messagesPerSecond?: number
  /** How many of them may come at once. */
  readonly messageBurst?: number
  /** Requests of one socket to subscribe, with the protocol. */
  readonly subscriptionsPerSecond?: number
  /** How many of them may come at once: as many as a client has channels when it comes back. */
  readonly subscriptionBurst?: number
  /** Channels that one socket has at a time, with the protocol. */
  readonly maxChannels?: number
  /** Bytes in the name of a channel that a client gives, up to 1024, with the protocol. */
  readonly maxChannelNameBytes?: number
}

/** With every choice made. */
export interface Limits {
  /** Null: nobody has said anything, and it depends on the protocol. */
  readonly messagesPerSecond: number | null
  readonly messageBurst: number
  readonly subscriptionsPerSecond: number
  readonly subscriptionBurst: number
  readonly maxChannels: number
  readonly maxChannelNameBytes: number
}

export function readLimits(given: ClientLimits, settings: Settings): Limits {
  return {
    messagesPerSecond: given.messagesPerSecond ?? settings.messagesPerSecond,
    messageBurst: given.messageBurst ?? settings.messageBurst,
    subscriptionsPerSecond: given.subscriptionsPerSecond ?? settings.subscriptionsPerSecond,
    subscriptionBurst: given.subscriptionBurst ?? settings.subscriptionBurst,
    maxChannels: given.maxChannels ?? settings.maxChannels,
    maxChannelNameBytes: given.maxChannelNameBytes ?? settings.maxChannelNameBytes
  }
}

/** Whether they are limits, and nothing else. */
export function isClientLimits(value: unknown): value is ClientLimits {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(
    ([name, limit]) =>
      Object.hasOwn(LARGEST, name) &&
      (limit === undefined || isWithin(limit, LARGEST[name as keyof ClientLimits]))
  )
}

/** Null for no limit. */
export function rateOf(perSecond: number, burst: number): Rate | null {
  // A burst of less than one message would never let any through.
  return perSecond === 0 ? null : { perSecond, burst: Math.max(1, burst) }
}

const LARGEST: { readonly [Name in keyof Required<ClientLimits>]: number } = {
  messagesPerSecond: 1_000_000,
  messageBurst: 1_000_000,
  subscriptionsPerSecond: 1_000_000,
  subscriptionBurst: 1_000_000,
  maxChannels: 1_000_000,
  maxChannelNameBytes: 1024
}

function isWithin(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}
