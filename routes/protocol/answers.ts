import { ScherzoError } from '../../core/errors.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { LimitError } from '../websocket/charges.ts'

/** The errors that a client may be told of. All others are the server's own, and only logged. */
export const ANSWERED_ERRORS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SCZ_ERR_PROTOCOL_MESSAGE',
  'SCZ_ERR_PROTOCOL_ACTION',
  'SCZ_ERR_PROTOCOL_FIELD',
  'SCZ_ERR_PROTOCOL_FORBIDDEN',
  'SCZ_ERR_PROTOCOL_CALLED_OFF',
  'SCZ_ERR_PROTOCOL_AUTHENTICATED',
  'SCZ_ERR_PROTOCOL_FAILED',
  'SCZ_ERR_HUB_CHANNEL',
  'SCZ_ERR_HUB_DATA',
  'SCZ_ERR_HUB_SINCE',
  'SCZ_ERR_HUB_OFFSET',
  'SCZ_ERR_HUB_LIMIT',
  'SCZ_ERR_HUB_PRESENCE',
  'SCZ_ERR_HUB_MESSAGE_SIZE',
  'SCZ_ERR_HUB_IDEMPOTENCY_KEY',
  'SCZ_ERR_LIMIT_MESSAGES',
  'SCZ_ERR_LIMIT_SUBSCRIPTIONS',
  'SCZ_ERR_LIMIT_CHANNELS',
  'SCZ_ERR_LIMIT_NAME',
  'SCZ_ERR_BUS_MESSAGE_SIZE',
  'SCZ_ERR_BUS_NAME',
  'SCZ_ERR_BUS_OVERLOAD',
  'SCZ_ERR_BUS_CLOSED',
  'SCZ_ERR_CLOSED',
  'SCZ_ERR_IDENTITY_TOKEN',
  'SCZ_ERR_IDENTITY_RENEW',
  'SCZ_ERR_IDENTITY_UNAVAILABLE'
])

export function okAnswer(id: number, ok: object): string {
  return JSON.stringify({ id, ok })
}

/** @param id null where the request could not be read */
export function errorAnswer(id: number | null, error: ScherzoError): string {
  return JSON.stringify({ ...(id !== null && { id }), error: publicPart(error) })
}

/** What a client is told of anything that was thrown. */
export function toldError(thrown: unknown): ScherzoError {
  return isAnswered(thrown) ? thrown : new ScherzoError('SCZ_ERR_PROTOCOL_FAILED')
}

export function isAnswered(thrown: unknown): thrown is ScherzoError {
  return thrown instanceof ScherzoError && ANSWERED_ERRORS.has(thrown.code)
}

export function publicPart(error: ScherzoError): object {
  const { code, message } = error
  const retryAfter = error instanceof LimitError ? error.retryAfter : null
  // In whole milliseconds: who waits for less would be refused again.
  return { code, message, ...(retryAfter !== null && { retryAfter: Math.ceil(retryAfter * 1000) / 1000 }) }
}
