import { createHash } from 'node:crypto'

/** A strong entity tag (RFC 9110 section 8.8.3) of the bytes; `variant` tells encodings of one value apart. */
export function entityTagOf(bytes: Uint8Array, variant: string): string {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
  return variant === '' ? `"${hash}"` : `"${hash}-${variant}"`
}

/** Whether If-None-Match names `tag`: the weak comparison of RFC 9110 section 13.1.2. */
export function isNamedBy(tag: string, ifNoneMatch: string): boolean {
  if (ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === tag)
}
