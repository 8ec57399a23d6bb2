import { ScherzoError } from '../errors.ts'
import { checkChannel, presenceNameOf } from './data.ts'
import type { HistorySource } from './history.ts'

/** Who is in a channel. */
export interface HubPresence {
  /** How many identities have a socket in it. */
  readonly count: number
  /** In no order; null where there are more than the rule of the channel lets be named. */
  readonly members: readonly PresentMember[] | null
}

export interface PresentMember {
  readonly id: string
  /** What `presenceData` of the route gave; absent where it shows nothing. */
  readonly data?: unknown
}

/** What a hub needs to know, and to let know, about who is in channels. */
export interface PresenceSource {
  /** Whether it is known who is in the channel. */
  has(channel: string): boolean
  /** Tells whether anybody on this thread wants to be told of changes. */
  watch(channel: string, isWatched: boolean): void
}

/** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE, SCZ_ERR_CLOSED, all by the promise */
export async function readPresence(
  presence: PresenceSource,
  history: HistorySource,
  channel: string
): Promise<HubPresence> {
  checkPresence(presence, channel)
  const name = presenceNameOf(channel)
  const { messages } = await history.fetch(name, { epoch: null, after: null, limit: 1, maxBytes: Infinity })
  const { count, members = null } = JSON.parse(Buffer.from(messages[0]!.data, 'latin1').toString()) as {
    readonly count: number
    readonly members?: readonly PresentMember[]
  }
  return { count, members }
}

/** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE */
export function checkPresence(presence: PresenceSource, channel: string): void {
  checkChannel(channel)
  if (!presence.has(channel)) throw new ScherzoError('SCZ_ERR_HUB_PRESENCE', [channel])
}
