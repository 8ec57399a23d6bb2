import type { BrokerAddress } from '../address.ts'

/** Before the next try to connect, in milliseconds; with a part that is not the same for all instances. */
export function reconnectDelay(retries: number): number {
  return Math.min(50 * 2 ** Math.min(retries, 10), MAX_DELAY) + Math.random() * 50
}

const MAX_DELAY = 1000
const CONNECT_TIMEOUT = 5000

/** After how long without an answer a connection is cut, in milliseconds: a server that pauses for a moment is left alone. */
export const MAX_SILENCE = 5000

/** The waiting line has one, and the library would make an AbortSignal for each command. */
export const NO_TIMEOUT = { timeout: 0 } as const

export function socketOptions({ isTls }: BrokerAddress): Record<string, unknown> {
  return {
    connectTimeout: CONNECT_TIMEOUT,
    // For greetings that nobody answers: those that are greeted Watch cuts, and that earlier.
    socketTimeout: 1.5 * MAX_SILENCE,
    ...(isTls && { tls: true })
  }
}
