import { ScherzoError } from '../../core/errors.ts'
import type { EndpointOptions } from '../websocket/options.ts'
import type { Standing } from '../websocket/standing.ts'
import { publicPart } from './answers.ts'
import { SUBPROTOCOL } from './subprotocol.ts'

/** When clients of a server that closes their sockets should come back. */
export type Reconnect = 'now' | 'later'

/** The first message of a socket. */
export function connectedNotice(
  { pingInterval, maxMessageBytes }: EndpointOptions,
  standing: Standing | null,
  channels: readonly string[]
): string {
  const connected = {
    protocol: SUBPROTOCOL,
    identity: standing?.identity?.id ?? null,
    expires: standing?.expires ?? null,
    channels,
    pingInterval,
    maxMessageBytes
  }
  return JSON.stringify({ connected })
}

/** The server has taken a subscription away. */
export function unsubscribedNotice(channel: string): string {
  const error = new ScherzoError('SCZ_ERR_PROTOCOL_WITHDRAWN', [channel])
  return JSON.stringify({ channel, unsubscribed: publicPart(error) })
}

/**
 * The close frame comes next. Each client gets a delay of its own, so that they do not all come back in one instant.
 *
 * @param sockets how many the worker has
 */
export function drainNotice(reconnect: Reconnect, sockets: number): string {
  const least = reconnect === 'now' ? 0 : LATER
  const spread = Math.min(Math.max(sockets / RETURNS_PER_MILLISECOND, LEAST_SPREAD), MOST_SPREAD)
  return JSON.stringify({ drain: { reconnect, after: Math.floor(least + Math.random() * spread) } })
}

/** What a server that goes away needs at least to be there again, in milliseconds. */
const LATER = 1000
/** 2,000 a second for each worker is what reloads were tried with, see emptyAcceptQueue in workers/worker.ts. */
const RETURNS_PER_MILLISECOND = 2
const LEAST_SPREAD = 1000
const MOST_SPREAD = 30_000
