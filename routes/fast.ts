import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RouteOptions as FastifyRouteOptions
} from 'fastify'
import fastJson from 'fast-json-stringify'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import { Answer, Head } from './answer.ts'
import type { Fields } from './answer.ts'
import { readOptions } from './fast-options.ts'
import type { FastJsonOptions, FastOptions, RouteOptions } from './fast-options.ts'
import { HandlerRoute, StaticRoute } from './fast-route.ts'
import type { FastResponse, FastRoute } from './fast-route.ts'
import { MessageRequest } from './fast-request.ts'
import type { FastRequest } from './fast-request.ts'

/** A handler of a fast route: synchronous, called for every request. */
export type FastHandler<Result> = (request: FastRequest) => Result

/** What `JSON.stringify` makes something of. */
export type JsonValue = string | number | boolean | null | object

/** What a `route` may give: a string, bytes, or a response with its own status and headers. */
export type FastResult = string | Uint8Array | FastResponse

/**
 * `fastify.fast`: routes that are answered before any framework code runs. Each is a Fastify route too, so that a
 * connection on the main lane gets the same answers. The value is either constant, rendered once, or a handler.
 *
 * All of them throw SCZ_ERR_FAST_PATH for a path with parameters or wildcards, SCZ_ERR_FAST_OPTION for a wrong option,
 * SCZ_ERR_FAST_VALUE for a value that can't be sent and SCZ_ERR_FAST_ASYNC for an async handler.
 *
 * @example
 * fastify.fast.text('/plaintext', 'Hello, World!')
 * fastify.fast.json('/json', { schema }, () => ({ message: 'Hello, World!' }))
 * fastify.fast.html('/', { cacheControl: 'public, max-age=60' }, page)
 */
export interface Fast {
  /** `text/plain; charset=utf-8`. */
  text(path: string, value: string | FastHandler<string>): void
  text(path: string, options: FastOptions, value: string | FastHandler<string>): void
  /** `text/html; charset=utf-8`. */
  html(path: string, value: string | FastHandler<string>): void
  html(path: string, options: FastOptions, value: string | FastHandler<string>): void
  /** `application/json; charset=utf-8`: a handler's value is serialised on every request. */
  json(path: string, value: JsonValue | FastHandler<unknown>): void
  json(path: string, options: FastJsonOptions, value: JsonValue | FastHandler<unknown>): void
  /** `application/octet-stream`, unless `headers` has another content type. */
  bytes(path: string, value: Uint8Array | FastHandler<Uint8Array>): void
  bytes(path: string, options: FastOptions, value: Uint8Array | FastHandler<Uint8Array>): void
  /** Any status, headers and body; `text/plain; charset=utf-8` unless `headers` has another content type. */
  route(path: string, value: FastResult | FastHandler<FastResult>): void
  route(path: string, options: FastOptions, value: FastResult | FastHandler<FastResult>): void
}

/** What the builders need of the place where the routes are mounted. */
export interface FastMount {
  /** Notes which fast route the Fastify handler stands for. */
  register(handler: FastifyRouteOptions['handler'], route: FastRoute): void
  /** What the route's handler threw on the fast lane for the request that comes next on this connection. */
  takeFault(request: FastifyRequest): { readonly error: unknown } | null
}

// Percent signs, colons and asterisks mean something to the router; semicolons do if the app says so.
const EXACT_PATH = /^(?:\/[A-Za-z0-9\-._~!$&'()+,=@/]*)?$/

/** Makes `fastify.fast` for one Fastify instance, whose prefix and error handler apply. */
export function createFast(fastify: FastifyInstance, mount: FastMount): Fast {
  return {
    text: (path: string, ...rest: readonly unknown[]) => addText('text/plain; charset=utf-8', path, rest),
    html: (path: string, ...rest: readonly unknown[]) => addText('text/html; charset=utf-8', path, rest),

    json(path: string, ...rest: readonly unknown[]): void {
      const { given, value } = split<FastJsonOptions>(path, rest)
      const options = readOptions(path, given, 'application/json; charset=utf-8', ['schema'])
      const stringify = serialiserFor(fastify, path, given.schema)
      const render = (head: Head, result: unknown): Answer =>
        Answer.ofText(head, jsonOf(path, stringify, result))
      add(path, options, value, render, (json) => Buffer.from(jsonOf(path, stringify, json)))
    },

    bytes(path: string, ...rest: readonly unknown[]): void {
      const { given, value } = split<FastOptions>(path, rest)
      const options = readOptions(path, given, 'application/octet-stream', [])
      const render = (head: Head, result: unknown): Answer => Answer.ofBytes(head, bytesOf(path, result))
      // A copy: what the app does with its array afterwards must not change the value.
      add(path, options, value, render, (bytes) => Uint8Array.from(bytesOf(path, bytes)))
    },

    route(path: string, ...rest: readonly unknown[]): void {
      const { given, value } = split<FastOptions>(path, rest)
      const options = readOptions(path, given, 'text/plain; charset=utf-8', [])
      if (typeof value === 'function') {
        const render = (head: Head, result: unknown): Answer => answerOf(path, head, result)
        mountRoute(new HandlerRoute(checkedPath(path), options, checkedHandler(path, value), render))
        return
      }
      const { status, headers, body } = responseOf(path, value)
      const fields = readOptions(
        path,
        { ...given, headers: { ...given.headers, ...headers } },
        'text/plain; charset=utf-8',
        []
      )
      mountRoute(new StaticRoute(checkedPath(path), fields, status, Buffer.from(body)))
    }
  }

  function addText(contentType: string, path: string, rest: readonly unknown[]): void {
    const { given, value } = split<FastOptions>(path, rest)
    const options = readOptions(path, given, contentType, [])
    const render = (head: Head, result: unknown): Answer => Answer.ofText(head, textOf(path, result))
    add(path, options, value, render, (text) => Buffer.from(textOf(path, text)))
  }

  function add(
    path: string,
    options: RouteOptions,
    value: unknown,
    render: (head: Head, result: unknown) => Answer,
    toBytes: (value: unknown) => Uint8Array
  ): void {
    if (typeof value === 'function') {
      mountRoute(new HandlerRoute(checkedPath(path), options, checkedHandler(path, value), render))
    } else {
      mountRoute(new StaticRoute(checkedPath(path), options, 200, toBytes(value)))
    }
  }

  function mountRoute(route: FastRoute): void {
    const handler = twinOf(route, mount)
    mount.register(handler, route)
    fastify.route({ method: [...route.methods], url: route.path, exposeHeadRoute: false, handler })
  }
}

/** The Fastify handler that gives the same answers as the fast route. */
function twinOf(route: FastRoute, mount: FastMount): (request: FastifyRequest, reply: FastifyReply) => void {
  return (request, reply) => {
    const fault = mount.takeFault(request)
    if (fault !== null) throw fault.error
    const answer = route.answer(new MessageRequest(request.raw))
    // HTTP/1.1 is persistent unless said otherwise (RFC 9112 section 9.3), so the fast lane does not say it either.
    if (reply.raw.shouldKeepAlive && request.raw.httpVersion === '1.1') reply.raw.removeHeader('connection')
    reply.code(answer.head.status).headers(answer.fields).send(answer.payload)
  }
}

/** (path, value) or (path, options, value). */
function split<Options>(path: string, rest: readonly unknown[]): { given: Options; value: unknown } {
  if (rest.length === 1) return { given: {} as Options, value: rest[0] }
  const [given, value] = rest
  if (typeof given !== 'object' || given === null) {
    throw new ScherzoError('SCZ_ERR_FAST_OPTION', [
      'options',
      path,
      'they come before the value, as an object'
    ])
  }
  return { given: given as Options, value }
}

/** Whether a path is matched by comparing: no parameters, wildcards or escapes. */
export function isExactPath(path: string): boolean {
  return EXACT_PATH.test(path)
}

function checkedPath(path: string): string {
  if (!isExactPath(path)) throw new ScherzoError('SCZ_ERR_FAST_PATH', [JSON.stringify(path)])
  return path
}

function checkedHandler(path: string, handler: object): FastHandler<unknown> {
  if (handler.constructor.name === 'AsyncFunction') throw new ScherzoError('SCZ_ERR_FAST_ASYNC', [path])
  return handler as FastHandler<unknown>
}

type Stringify = (value: unknown) => string | undefined

function serialiserFor(fastify: FastifyInstance, path: string, schema: object | undefined): Stringify {
  if (schema === undefined) return JSON.stringify
  const externalSchema = fastify.getSchemas() as NonNullable<fastJson.Options['schema']>
  try {
    return fastJson(valueSchema(path, schema), { schema: externalSchema })
  } catch (error) {
    if (error instanceof ScherzoError) throw error
    throw new ScherzoError('SCZ_ERR_FAST_OPTION', ['schema', path, reasonOf(error)], { cause: error })
  }
}

/** A JSON Schema as it is; of a Fastify route schema the one for a 200 response. */
function valueSchema(path: string, schema: object): fastJson.AnySchema {
  if (!('response' in schema) || 'type' in schema) return schema as fastJson.AnySchema
  const extra = Object.keys(schema).find((key) =>
    ['body', 'querystring', 'query', 'params', 'headers'].includes(key)
  )
  if (extra !== undefined) {
    throw new ScherzoError('SCZ_ERR_FAST_OPTION', [
      'schema',
      path,
      `a fast route does not validate "${extra}"`
    ])
  }
  const byStatus = schema.response as Record<string, fastJson.AnySchema>
  const found = byStatus['200'] ?? byStatus['2xx'] ?? byStatus['2XX'] ?? byStatus['default']
  if (found === undefined) {
    throw new ScherzoError('SCZ_ERR_FAST_OPTION', [
      'schema',
      path,
      'it has no response schema for status 200'
    ])
  }
  return found
}

function jsonOf(path: string, stringify: Stringify, value: unknown): string {
  let json: string | undefined
  try {
    json = value === undefined ? undefined : stringify(value)
  } catch (error) {
    throw new ScherzoError('SCZ_ERR_FAST_VALUE', [path, reasonOf(error)], { cause: error })
  }
  if (json === undefined)
    throw new ScherzoError('SCZ_ERR_FAST_VALUE', [path, `${typeof value} is no JSON value`])
  return json
}

function textOf(path: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new ScherzoError('SCZ_ERR_FAST_VALUE', [path, `it needs a string, not ${describe(value)}`])
}

function bytesOf(path: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new ScherzoError('SCZ_ERR_FAST_VALUE', [path, `it needs a Uint8Array, not ${describe(value)}`])
}

function responseOf(
  path: string,
  value: unknown
): { status: number; headers: Fields; body: string | Uint8Array } {
  if (typeof value === 'string' || value instanceof Uint8Array)
    return { status: 200, headers: {}, body: value }
  if (typeof value !== 'object' || value === null) {
    throw new ScherzoError('SCZ_ERR_FAST_VALUE', [
      path,
      `it needs a string, bytes or a response, not ${describe(value)}`
    ])
  }
  const { status = 200, headers = {}, body = '' } = value as FastResponse
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new ScherzoError('SCZ_ERR_FAST_VALUE', [path, `${describe(status)} is no status from 200 to 599`])
  }
  return { status, headers, body: typeof body === 'string' ? body : bytesOf(path, body) }
}

function answerOf(path: string, routeHead: Head, result: unknown): Answer {
  const { status, headers, body } = responseOf(path, result)
  const isPlain = status === 200 && Object.keys(headers).length === 0
  const head = isPlain ? routeHead : new Head(status, mergedFields(path, routeHead.fields, headers))
  if (!head.hasBody) return Answer.withoutBody(head)
  return typeof body === 'string' ? Answer.ofText(head, body) : Answer.ofBytes(head, body)
}

/** A handler's headers over the route's own, checked like those: a line break in one must never reach the wire. */
function mergedFields(path: string, fields: Fields, headers: Fields): Fields {
  const merged = readOptions(path, { headers: { ...fields, ...headers } }, '', []).fields
  const { vary } = fields
  return vary === undefined || merged['vary'] === vary
    ? merged
    : { ...merged, vary: `${vary}, ${merged['vary']}` }
}

function describe(value: unknown): string {
  return typeof value === 'number' || value === null ? String(value) : typeof value
}
