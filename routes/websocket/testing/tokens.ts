import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

// Tokens that are made here, without the library that reads them: it refuses to make most of the wrong ones.

export const SECRET = 'a secret of the tests, long enough'

export const rsa: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } = generateKeyPairSync(
  'rsa',
  {
    modulusLength: 2048
  }
)
export const ec: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } = generateKeyPairSync(
  'ec',
  {
    namedCurve: 'P-256'
  }
)

type Claims = Readonly<Record<string, unknown>>

/** Seconds since 1970, so many from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds
}

export function hmacToken(claims: Claims, secret: string | Buffer = SECRET, header: Claims = {}): string {
  const text = textOf({ alg: 'HS256', ...header }, claims)
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

export function signedToken(alg: 'RS256' | 'ES256', claims: Claims, key?: KeyObject, kid?: string): string {
  const text = textOf({ alg, ...(kid !== undefined && { kid }) }, claims)
  const privateKey = key ?? (alg === 'RS256' ? rsa : ec).privateKey
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

export function unsignedToken(claims: Claims): string {
  return `${textOf({ alg: 'none' }, claims)}.`
}

function textOf(header: Claims, claims: Claims): string {
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
}
