import { METHODS, validateHeaderName, validateHeaderValue } from 'node:http'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import type { Fields } from './answer.ts'
import type { CorsOptions } from './cors.ts'

/** Options that every kind of fast route takes. */
export interface FastOptions {
  /**
   * Methods of the route. HEAD comes with GET, OPTIONS with `cors`. The fast lane answers these three; the main lane
   * answers the others with the same handler.
   * @default ['GET']
   */
  readonly methods?: readonly string[]
  /** Further response headers; they win over Scherzo's own `server` and `content-type`. */
  readonly headers?: Fields
  /** The Cache-Control header, such as `public, max-age=60`. @default none */
  readonly cacheControl?: string
  /** Cross-origin access: `true` for every origin, or rules. @default false */
  readonly cors?: boolean | CorsOptions
  /**
   * Whether a static value of 1 KiB or more is also held as br, zstd and gzip, and negotiated.
   * @default true for text, html and json; for bytes and route when the content type is a text format
   */
  readonly compress?: boolean
}

/** Options of JSON routes. */
export interface FastJsonOptions extends FastOptions {
  /**
   * The value's JSON Schema, or a Fastify route schema `{ response: { 200: ... } }`: with it, values are serialised by
   * fast-json-stringify. @default none: JSON.stringify
   */
  readonly schema?: object
}

/** The same with every choice made. */
export interface RouteOptions {
  readonly methods: readonly string[]
  readonly fields: Fields
  readonly cors: CorsOptions | null
  readonly compress: boolean | null
}

const KNOWN = ['methods', 'headers', 'cacheControl', 'cors', 'compress']
const CORS_KNOWN = ['origin', 'allowedHeaders', 'exposedHeaders', 'credentials', 'maxAge']

/** A header's name, RFC 9110 section 5.6.2; the asterisk of CORS is one by the letter. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

/** Headers that the server works out itself. */
const RESERVED = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'date',
  'etag',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade'
])

/**
 * Checks a route's options and fills in the defaults.
 *
 * @throws SCZ_ERR_FAST_OPTION naming the option
 */
export function readOptions(
  path: string,
  options: FastOptions,
  contentType: string,
  more: readonly string[]
): RouteOptions {
  const refuse = (name: string, reason: string): never => {
    throw new ScherzoError('SCZ_ERR_FAST_OPTION', [name, path, reason])
  }
  checkTypes(options, refuse)
  const known = [...KNOWN, ...more]
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) refuse(name, `the options are ${known.join(', ')}`)
  }

  const fields: Record<string, string> = { server: 'scherzo', 'content-type': contentType }
  if (options.cacheControl !== undefined) fields['cache-control'] = options.cacheControl
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (RESERVED.has(name.toLowerCase())) refuse('headers', `${name} is set by the server`)
    fields[name.toLowerCase()] = value
  }
  for (const [name, value] of Object.entries(fields)) {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch (error) {
      refuse(name === 'cache-control' ? 'cacheControl' : 'headers', reasonOf(error))
    }
  }

  return {
    methods: readMethods(options, refuse),
    fields,
    cors: readCors(options.cors ?? false, refuse),
    compress: options.compress ?? null
  }
}

type Refuse = (name: string, reason: string) => never

/** An app in JavaScript has no compiler to tell. */
function checkTypes({ methods, headers, cacheControl, cors, compress }: FastOptions, refuse: Refuse): void {
  if (methods !== undefined && !isListOfStrings(methods)) refuse('methods', 'it is a list of method names')
  if (headers !== undefined && !isObject(headers)) refuse('headers', 'it is an object of names and values')
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (typeof value !== 'string') refuse('headers', `the value of ${name} is not a string`)
  }
  if (cacheControl !== undefined && typeof cacheControl !== 'string') refuse('cacheControl', 'it is a string')
  if (cors !== undefined && typeof cors !== 'boolean' && !isObject(cors))
    refuse('cors', 'it is true, false or an object')
  if (compress !== undefined && typeof compress !== 'boolean') refuse('compress', 'it is true or false')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function readMethods({ methods = ['GET'], cors }: FastOptions, refuse: Refuse): readonly string[] {
  const all = new Set(methods.map((method) => method.toUpperCase()))
  for (const method of all) {
    if (!METHODS.includes(method) || method === 'CONNECT')
      refuse('methods', `"${method}" is no method of a route`)
  }
  if (all.size === 0) refuse('methods', 'name at least one')
  if (all.has('GET')) all.add('HEAD')
  if (cors !== undefined && cors !== false) all.add('OPTIONS')
  return [...all]
}

function readCors(cors: boolean | CorsOptions, refuse: Refuse): CorsOptions | null {
  if (cors === false) return null
  if (cors === true) return {}
  for (const name of Object.keys(cors)) {
    if (!CORS_KNOWN.includes(name)) refuse('cors', `"${name}" is not one of ${CORS_KNOWN.join(', ')}`)
  }
  const { origin = '*', credentials, maxAge } = cors
  for (const name of ['allowedHeaders', 'exposedHeaders'] as const) {
    const names = cors[name] ?? []
    if (!isListOfStrings(names) || !names.every((each) => TOKEN.test(each)))
      refuse('cors', `${name} is a list of header names`)
  }
  if (typeof origin !== 'string' && !isListOfStrings(origin))
    refuse('cors', 'origin is a string or a list of strings')
  const origins = typeof origin === 'string' ? [origin] : origin
  if (origins.length === 0) refuse('cors', 'name at least one origin')
  for (const each of origins) {
    if (each !== '*' && each !== 'null' && !isOrigin(each))
      refuse('cors', `"${each}" is no origin like https://example.com`)
  }
  if (credentials === true && origins.includes('*'))
    refuse('cors', 'credentials need origins named one by one')
  if (maxAge !== undefined && !(Number.isInteger(maxAge) && maxAge >= 0))
    refuse('cors', 'maxAge is a number of seconds')
  return cors
}

function isOrigin(text: string): boolean {
  return !text.includes('*') && URL.canParse(text) && new URL(text).origin === text
}
