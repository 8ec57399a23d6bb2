import type { FastifyRequest } from 'fastify'

/** Where a request has its token: `Authorization: Bearer ...`, a cookie, a parameter of the query; or the first message. */
export type TokenSource = 'header' | 'message' | { readonly cookie: string } | { readonly query: string }

/** Finds the first token in the order of the sources; null where no source has one. */
export type FindToken = (request: FastifyRequest) => string | null

export function finderFor(sources: readonly TokenSource[]): FindToken {
  const finders = sources.filter((source) => source !== 'message').map(finderOf)
  return (request) => {
    for (const find of finders) {
      const token = find(request)
      if (token !== null) return token
    }
    return null
  }
}

export function isTokenSource(value: unknown): value is TokenSource {
  if (value === 'header' || value === 'message') return true
  if (typeof value !== 'object' || value === null) return false
  const [[key, name] = [], ...rest] = Object.entries(value)
  return rest.length === 0 && (key === 'cookie' || key === 'query') && typeof name === 'string' && name !== ''
}

function finderOf(source: Exclude<TokenSource, 'message'>): FindToken {
  if (source === 'header') return ({ headers }) => bearerIn(headers.authorization)
  if ('cookie' in source) return ({ headers }) => cookieIn(headers.cookie, source.cookie)
  return ({ url }) => queryOf(url).get(source.query)
}

function bearerIn(authorization: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null
}

/** RFC 6265 section 4.2.1. A value may stand in quotes (section 4.1.1). */
function cookieIn(cookies: string | undefined, name: string): string | null {
  for (const pair of (cookies ?? '').split(';')) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name)
      return pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1')
  }
  return null
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?')
  return new URLSearchParams(at === -1 ? '' : url.slice(at))
}
