import type { Fields } from './answer.ts'
import type { FastRequest } from './fast-request.ts'

/** Cross-origin rules of a fast route (Fetch standard, "CORS protocol"). */
export interface CorsOptions {
  /** `*`, one origin or a list of them, such as `https://example.com`. @default '*' */
  readonly origin?: string | readonly string[]
  /** Request headers allowed in a preflight. @default those that the preflight asks for */
  readonly allowedHeaders?: readonly string[]
  /** Response headers that scripts may read. @default none */
  readonly exposedHeaders?: readonly string[]
  /** Whether cookies and authorisation are allowed; needs origins named one by one. @default false */
  readonly credentials?: boolean
  /** How long a preflight may be kept, in seconds. @default the browser's own */
  readonly maxAge?: number
}

const NAMES = /^[\w!#$%&'*+.^`|~, -]*$/

/** Compiled CORS rules: which headers a response gets, by the request's Origin. */
export class Cors {
  readonly #anyOrigin: boolean
  readonly #origins: ReadonlySet<string>
  readonly #options: CorsOptions

  constructor(options: CorsOptions) {
    const { origin = '*' } = options
    const origins = typeof origin === 'string' ? [origin] : origin
    this.#anyOrigin = origins.includes('*')
    this.#origins = new Set(origins)
    this.#options = options
  }

  /** What the answer may depend on, as a key: the allowed origin, or the empty string. */
  allowedOrigin(request: FastRequest): string {
    if (this.#anyOrigin) return '*'
    const origin = request.header('origin')
    return origin !== undefined && this.#origins.has(origin) ? origin : ''
  }

  /** Names that Vary has to list. */
  get vary(): readonly string[] {
    return this.#anyOrigin ? [] : ['Origin']
  }

  fieldsFor(allowedOrigin: string): Fields {
    if (allowedOrigin === '') return {}
    const { credentials, exposedHeaders } = this.#options
    return {
      'access-control-allow-origin': allowedOrigin,
      ...(credentials === true && { 'access-control-allow-credentials': 'true' }),
      ...(exposedHeaders !== undefined && { 'access-control-expose-headers': exposedHeaders.join(', ') })
    }
  }

  /** The further headers of a preflight's answer. */
  preflightFields(request: FastRequest, methods: readonly string[]): Fields {
    const { allowedHeaders, maxAge } = this.#options
    const asked = request.header('access-control-request-headers')
    const headers =
      allowedHeaders?.join(', ') ?? (asked !== undefined && NAMES.test(asked) ? asked : undefined)
    return {
      'access-control-allow-methods': methods.join(', '),
      ...(headers !== undefined && { 'access-control-allow-headers': headers }),
      ...(maxAge !== undefined && { 'access-control-max-age': String(maxAge) })
    }
  }
}
