import type { JSONWebKeySet, JWK, JWTPayload } from 'jose'
import { ScherzoError } from '../../core/errors.ts'
import { isTokenSource } from './token-sources.ts'
import type { TokenSource } from './token-sources.ts'

export type JwtAlgorithm = 'HS256' | 'RS256' | 'ES256'

/** Options of `jwt()`. Exactly one of `secret`, `publicKey` and `jwks` is needed. */
export interface JwtOptions {
  /** For HS256: at least 32 bytes, a string in UTF-8. */
  readonly secret?: string | Uint8Array
  /** For RS256 (2048 bits or more) or ES256 (P-256), in PEM or as a JWK. */
  readonly publicKey?: string | JWK
  /** For RS256 and ES256: a set of keys, or the URL of one. */
  readonly jwks?: string | URL | JSONWebKeySet
  /** What tokens may be signed with; the header of a token never chooses beyond it. @default what the key is for */
  readonly algorithms?: readonly JwtAlgorithm[]
  /** What `iss` has to be, or one of what it may be. @default anything */
  readonly issuer?: string | readonly string[]
  /** What has to be among `aud`. @default anything */
  readonly audience?: string | readonly string[]
  /** How far clocks may be apart, in seconds, for `exp` and `nbf`. @default 0 */
  readonly clockTolerance?: number
  /** The claim that has the id; tokens without it are refused. @default 'sub' */
  readonly idClaim?: string
  /** What becomes of the claims as `identity.data`. @default all of them */
  readonly data?: (claims: JWTPayload) => unknown
  /** Where tokens are, the place that is looked at first in front. @default ['header'] */
  readonly from?: readonly TokenSource[]
  /** With `from: ['message']`: how long a socket may take to send its token, in seconds. @default 10 */
  readonly messageTimeout?: number
  /** How long a set of keys from a URL is taken as it is, in seconds. @default 600 */
  readonly jwksMaxAge?: number
  /** How long to wait before a token with an unknown key has the set fetched again, in seconds. @default 30 */
  readonly jwksCooldown?: number
}

/** @throws SCZ_ERR_IDENTITY_OPTION */
export function checkJwtOptions(options: JwtOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(RULES, name)) throw optionError(name, 'no option has this name')
    const { expected, holds } = RULES[name as keyof JwtOptions]
    if (value !== undefined && !holds(value)) throw optionError(name, `use ${expected}`)
  }
  const keys = (['secret', 'publicKey', 'jwks'] as const).filter((name) => options[name] !== undefined)
  if (keys.length !== 1) throw optionError(keys[1] ?? 'secret', 'use one of secret, publicKey and jwks')
}

export function optionError(name: string, reason: string): ScherzoError {
  return new ScherzoError('SCZ_ERR_IDENTITY_OPTION', [name, reason])
}

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

const aName: Rule = { expected: 'a string that is not empty', holds: isText }
const names: Rule = {
  expected: 'a string or a list of strings, none of them empty',
  holds: (value) => isText(value) || isListOf(value, isText)
}

const RULES: Readonly<Record<keyof JwtOptions, Rule>> = {
  secret: { expected: 'a string or bytes', holds: (value) => isText(value) || value instanceof Uint8Array },
  publicKey: { expected: 'a key in PEM or a JWK', holds: (value) => isText(value) || isObject(value) },
  jwks: { expected: 'a URL or a set of keys', holds: (value) => isText(value) || isObject(value) },
  algorithms: {
    expected: 'a list of HS256, RS256, ES256',
    holds: (value) => isListOf(value, (name) => ['HS256', 'RS256', 'ES256'].includes(name as string))
  },
  issuer: names,
  audience: names,
  clockTolerance: seconds(0, 3600),
  idClaim: aName,
  data: { expected: 'a function', holds: (value) => typeof value === 'function' },
  from: {
    expected: 'a list of "header", "message", { cookie: name } and { query: name }',
    holds: (value) => isListOf(value, isTokenSource)
  },
  messageTimeout: seconds(1, 3600),
  jwksMaxAge: seconds(1, 86_400),
  jwksCooldown: seconds(1, 86_400)
}

function seconds(least: number, most: number): Rule {
  return {
    expected: `a whole number of seconds from ${least} to ${most}`,
    holds: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function isListOf(value: unknown, holds: (element: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(holds)
}
