import { errors, jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyOptions } from 'jose'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import type { Identity, TokenAuthenticator } from '../websocket/identity.ts'
import { readKeys } from './keys.ts'
import { checkJwtOptions } from './options.ts'
import type { JwtOptions } from './options.ts'
import { finderFor } from './token-sources.ts'

/** Longer tokens are refused before anything in them is looked at. */
export const MAX_TOKEN_LENGTH = 8192

const MESSAGE_TIMEOUT = 10

/**
 * Authenticates by JSON Web Tokens, for `hub.route(path, { authenticate: jwt({ ... }) })`. Signatures are compared in constant
 * time by Web Crypto, which jose calls; nothing else in a token is a secret.
 *
 * @throws SCZ_ERR_IDENTITY_OPTION
 *
 * @example
 * fastify.hub.route('/live', { authenticate: jwt({ jwks: 'https://id.example.com/jwks.json', issuer: 'https://id.example.com' }) })
 */
export function jwt(options: JwtOptions): TokenAuthenticator {
  checkJwtOptions(options)
  const { from = ['header'], idClaim = 'sub', clockTolerance = 0, data = (claims) => claims } = options
  const { key, algorithms } = readKeys(options)
  const find = finderFor(from)
  const demands = demandsOf(options, algorithms)

  async function verify(token: string): Promise<Identity> {
    if (token.length > MAX_TOKEN_LENGTH) throw new Error(`it has more than ${MAX_TOKEN_LENGTH} characters`)
    const claims = await claimsOf(() => jwtVerify(token, key, demands))
    const { [idClaim]: id, exp } = claims
    if (typeof id !== 'string' || id === '') throw new Error(`its claim "${idClaim}" is no string`)
    // What the tolerance lets in must not be thrown out at once.
    return { id, data: data(claims), ...(exp !== undefined && { expires: exp + clockTolerance }) }
  }

  return {
    async authenticate(request) {
      const token = find(request)
      return token === null ? null : verify(token)
    },
    verify,
    messageTimeout: from.includes('message') ? (options.messageTimeout ?? MESSAGE_TIMEOUT) : null
  }
}

function demandsOf(
  { issuer, audience, clockTolerance, idClaim }: JwtOptions,
  algorithms: string[]
): JWTVerifyOptions {
  return {
    algorithms,
    clockTolerance: clockTolerance ?? 0,
    requiredClaims: [idClaim ?? 'sub'],
    ...(issuer !== undefined && { issuer: typeof issuer === 'string' ? issuer : [...issuer] }),
    ...(audience !== undefined && { audience: typeof audience === 'string' ? audience : [...audience] })
  }
}

async function claimsOf(verify: () => Promise<{ readonly payload: JWTPayload }>): Promise<JWTPayload> {
  try {
    const { payload } = await verify()
    return payload
  } catch (error) {
    throw withoutToken(error)
  }
}

/** Errors of jose may quote the token or have its claims: only their codes, and names from the configuration, go on. */
function withoutToken(error: unknown): Error {
  if (error instanceof ScherzoError) return error
  if (!(error instanceof errors.JOSEError)) return new Error(reasonOf(error))
  const claim = 'claim' in error ? ` (${String(error.claim)})` : ''
  return new Error(`${error.code}${claim}`)
}
