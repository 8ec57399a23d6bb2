import { createPublicKey, createSecretKey } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import { createLocalJWKSet, createRemoteJWKSet, customFetch } from 'jose'
import type { FetchImplementation, JWTVerifyGetKey } from 'jose'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import { optionError } from './options.ts'
import type { JwtAlgorithm, JwtOptions } from './options.ts'

/** What tokens are verified with. */
export interface Keys {
  /** The one key as a function, too: it is called only for algorithms that are allowed. */
  readonly key: JWTVerifyGetKey
  readonly algorithms: JwtAlgorithm[]
}

/**
 * The keys of a configuration. Each kind of key is bound to its algorithms here, so that no token can have a public key taken
 * for a secret (RFC 8725 section 3.1).
 *
 * @throws SCZ_ERR_IDENTITY_OPTION
 */
export function readKeys(options: JwtOptions): Keys {
  const { secret, publicKey, jwks = '' } = options
  if (secret !== undefined) return keysOf(options, ['HS256'], only(secretKey(secret)))
  if (publicKey !== undefined) {
    const key = readPublicKey(publicKey)
    return keysOf(options, [algorithmOf(key)], only(key))
  }
  const set = typeof jwks === 'string' || jwks instanceof URL ? remote(jwks, options) : local(jwks)
  return keysOf(options, ['RS256', 'ES256'], set)
}

function keysOf({ algorithms }: JwtOptions, possible: JwtAlgorithm[], key: JWTVerifyGetKey): Keys {
  const wrong = algorithms?.find((name) => !possible.includes(name))
  if (wrong !== undefined)
    throw optionError('algorithms', `the key is for ${possible.join(' and ')}, not for ${wrong}`)
  return { key, algorithms: [...(algorithms ?? possible)] }
}

function only(key: KeyObject): JWTVerifyGetKey {
  return () => key
}

/** RFC 7518 section 3.2: as long as the hash, at least. */
const MIN_SECRET_BYTES = 32

function secretKey(secret: string | Uint8Array): KeyObject {
  const bytes = Buffer.from(secret as string)
  if (bytes.length < MIN_SECRET_BYTES)
    throw optionError('secret', `it has ${bytes.length} bytes, and needs at least ${MIN_SECRET_BYTES}`)
  if (bytes.includes('-----BEGIN ')) throw optionError('secret', 'it is a key in PEM: use publicKey')
  return createSecretKey(bytes)
}

function readPublicKey(key: NonNullable<JwtOptions['publicKey']>): KeyObject {
  try {
    return createPublicKey(typeof key === 'string' ? key : { key: key as JsonWebKey, format: 'jwk' })
  } catch (error) {
    throw optionError('publicKey', reasonOf(error))
  }
}

/** RFC 7518 section 3.3. */
const MIN_RSA_BITS = 2048

function algorithmOf(key: KeyObject): JwtAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return 'RS256'
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256'
  throw optionError('publicKey', `use RSA of at least ${MIN_RSA_BITS} bits, or P-256`)
}

function local(set: Parameters<typeof createLocalJWKSet>[0]): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(set)
  } catch (error) {
    throw optionError('jwks', reasonOf(error))
  }
}

function remote(address: string | URL, { jwksMaxAge = 600, jwksCooldown = 30 }: JwtOptions): JWTVerifyGetKey {
  const url = URL.parse(String(address))
  if (url === null || !/^https?:$/.test(url.protocol)) throw optionError('jwks', 'use an http or https URL')
  return createRemoteJWKSet(url, {
    cacheMaxAge: jwksMaxAge * 1000,
    cooldownDuration: jwksCooldown * 1000,
    [customFetch]: carefulFetch()
  })
}

/** While the keys can't be had, each token would ask for them once more. */
const PAUSE_AFTER_FAILURE = 1000

/** Tells that the keys can't be had from a token that is wrong, and does not ask again at once. */
function carefulFetch(): FetchImplementation {
  let failedAt = Number.NEGATIVE_INFINITY
  return async (url, options) => {
    if (performance.now() - failedAt < PAUSE_AFTER_FAILURE)
      throw new ScherzoError('SCZ_ERR_IDENTITY_UNAVAILABLE')
    try {
      const response = await fetch(url, options)
      if (response.status !== 200) throw new Error(`the answer has the status ${response.status}`)
      // Read here, so that an answer that breaks off is no fault of the token's.
      return Response.json(await response.json())
    } catch (error) {
      failedAt = performance.now()
      throw new ScherzoError('SCZ_ERR_IDENTITY_UNAVAILABLE', [], { cause: error })
    }
  }
}
