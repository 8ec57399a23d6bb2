import type { SlowPolicy } from '../../core/broadcast/subscriptions.ts'

export type Policy = SlowPolicy['policy']

export const POLICIES: readonly Policy[] = ['close', 'skip', 'latest']

/** How many messages channels of each kind keep. */
export const HISTORY_SIZES: Readonly<Record<string, number>> = { long: 100_000, short: 5, none: 0, ticks: 40 }

export const KINDS: readonly string[] = Object.keys(HISTORY_SIZES)

/** What sockets are subscribed to on connect. */
export const ROUTE_KIND = 'ticks'

/** The policy of the route of each client. The last one takes compressed messages. */
export const CLIENT_POLICIES: readonly Policy[] = ['close', 'skip', 'latest', 'close']

/** Each schedule has channels of its own. */
export function channelOf(kind: string, world: number): string {
  return `${kind}:${world}`
}

export function historySizeOf(channel: string): number {
  return HISTORY_SIZES[channel.split(':')[0]!]!
}
