import type { FastifyRequest } from 'fastify'
import { ScherzoError } from '../../core/errors.ts'
import type { Identity } from '../../core/identity.ts'

export type { Identity }

/** Finds out who sends a request. Null, or anything thrown, refuses the handshake with 401. */
export type Authenticate = (request: FastifyRequest) => Identity | null | Promise<Identity | null>

/** Authenticates by tokens, wherever they come from; `jwt()` makes one. */
export interface TokenAuthenticator {
  /** Null where the request has no token. Rejects where it has one that is not accepted. */
  authenticate(request: FastifyRequest): Promise<Identity | null>
  /** Rejects with the reason, for the log. It must not have the token in it. */
  verify(token: string): Promise<Identity>
  /** For how long, in seconds, a socket without a token may be silent before it sends one; null where it may not. */
  readonly messageTimeout: number | null
}

/** `presence`: to be told who is in the channel. */
export type ChannelAction = 'subscribe' | 'publish' | 'presence'

/** Whether an identity, null on routes without `authenticate`, may do something with a channel. Only `true` is a yes. */
export type Authorize = (
  identity: Identity | null,
  channel: string,
  action: ChannelAction
) => boolean | Promise<boolean>

const MAX_ID_LENGTH = 1024

/**
 * An identity as `authenticate` or the app gave it.
 *
 * @throws SCZ_ERR_IDENTITY_VALUE
 */
export function checkIdentity(value: Identity): Identity {
  const given: unknown = value
  if (typeof given !== 'object' || given === null) throw wrong('it is no object')
  const { id, expires } = given as Partial<Record<keyof Identity, unknown>>
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH)
    throw wrong(`its id has to be a string of 1 to ${MAX_ID_LENGTH} characters`)
  if (expires !== undefined && !Number.isFinite(expires instanceof Date ? expires.getTime() : expires))
    throw wrong('its "expires" has to be a Date or a number of seconds')
  return value
}

/** The first whole second since 1970 at which it no longer holds, or null. */
export function expiryOf({ expires }: Identity): number | null {
  if (expires === undefined) return null
  return Math.ceil(expires instanceof Date ? expires.getTime() / 1000 : expires)
}

export function hasExpired(identity: Identity): boolean {
  const second = expiryOf(identity)
  return second !== null && second * 1000 <= Date.now()
}

function wrong(reason: string): ScherzoError {
  return new ScherzoError('SCZ_ERR_IDENTITY_VALUE', [reason])
}
