import type { FastifyReply, FastifyRequest } from 'fastify'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import { checkIdentity, hasExpired } from './identity.ts'
import type { Identity } from './identity.ts'
import type { EndpointOptions } from './options.ts'
import type { Permissions } from './permissions.ts'
import { refuseIdentity } from './refusals.ts'

/**
 * Who sends a request.
 *
 * @returns null on a route that does not ask, and where the token may still come in the first message
 * @throws SCZ_ERR_IDENTITY_REFUSED, SCZ_ERR_IDENTITY_UNAVAILABLE, SCZ_ERR_IDENTITY_VALUE
 */
export async function identify(
  { authenticate, tokens }: Pick<EndpointOptions, 'authenticate' | 'tokens'>,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<Identity | null> {
  if (authenticate === null) return null
  const refuse = (reason: string): ScherzoError => {
    request.log.info({ reason }, 'Refused a request: it is not authenticated')
    return refuseIdentity(reply, 'SCZ_ERR_IDENTITY_REFUSED')
  }
  let given: Identity | null
  try {
    given = await authenticate(request)
  } catch (error) {
    if (isUnavailable(error)) throw refuseIdentity(reply, error.code)
    throw refuse(reasonOf(error))
  }
  if (given === null && typeof tokens?.messageTimeout === 'number') return null
  if (given === null) throw refuse('nobody is known by this request')
  const identity = checkIdentity(given)
  if (hasExpired(identity)) throw refuse('the identity has expired')
  return identity
}

/** The first of the channels that an identity may not subscribe to, or null. */
export async function firstForbidden(
  permissions: Permissions,
  identity: Identity | null,
  channels: readonly string[]
): Promise<string | null> {
  for (const channel of channels) {
    if (!(await permissions.mayApp(identity, channel, 'subscribe'))) return channel
  }
  return null
}

/** Whether it was the server that failed, and not the token. */
export function isUnavailable(error: unknown): error is ScherzoError {
  return error instanceof ScherzoError && error.code === 'SCZ_ERR_IDENTITY_UNAVAILABLE'
}
