import { types } from 'node:util'
import { ScherzoError } from '../errors.ts'
import type { ChannelRule } from './channel-rules.ts'
import type { HubData } from './data.ts'
import { DEFAULT_SLOW_POLICY } from './subscriptions.ts'
import type { SlowPolicy } from './subscriptions.ts'

/** The policy of a channel by its rule, or null where that of each subscriber holds. */
export function slowOf(rule: ChannelRule | null): SlowPolicy | null {
  return rule?.slow === undefined ? null : { ...DEFAULT_SLOW_POLICY, ...rule.slow }
}

/**
 * The conflation key by the rule, or null.
 *
 * @throws SCZ_ERR_HUB_KEY, and what a key function throws
 */
export function keyOf({ key }: ChannelRule, channel: string, data: HubData): string | null {
  if (key === undefined) return null
  if (typeof key === 'string') return propertyOf(data, key)
  const given: unknown = key(data)
  if (given === null || given === undefined) return null
  if (typeof given !== 'string') throw new ScherzoError('SCZ_ERR_HUB_KEY', [channel, typeof given])
  return given
}

/**
 * @param encoded text, or bytes
 * @throws SCZ_ERR_HUB_MESSAGE_SIZE
 */
export function checkSize(
  { maxMessageBytes }: ChannelRule,
  channel: string,
  encoded: string | Uint8Array
): void {
  // A UTF-16 code unit is at most three bytes.
  if (maxMessageBytes === undefined || encoded.length * 3 <= maxMessageBytes) return
  const size = typeof encoded === 'string' ? Buffer.byteLength(encoded) : encoded.length
  if (size > maxMessageBytes)
    throw new ScherzoError('SCZ_ERR_HUB_MESSAGE_SIZE', [size, channel, maxMessageBytes])
}

function propertyOf(data: HubData, name: string): string | null {
  if (typeof data !== 'object' || data === null || types.isUint8Array(data)) return null
  if (!Object.hasOwn(data, name)) return null
  const value: unknown = (data as Record<string, unknown>)[name]
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : null
}
