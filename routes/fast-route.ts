import { ScherzoError } from '../core/errors.ts'
import { COMPRESSION_MINIMUM, chooseEncoding, compress, encodings } from '../core/http/encodings.ts'
import type { Encoding } from '../core/http/encodings.ts'
import { entityTagOf, isNamedBy } from '../core/http/entity-tag.ts'
import { Answer, Head } from './answer.ts'
import type { Fields } from './answer.ts'
import { Cors } from './cors.ts'
import type { RouteOptions } from './fast-options.ts'
import type { FastRequest } from './fast-request.ts'

/** Turns a request into an answer, for both lanes. */
export interface FastRoute {
  readonly path: string
  readonly methods: readonly string[]
  /** Whether the request's bytes alone decide the answer: no code of the app runs. */
  readonly isStatic: boolean
  /** Whether OPTIONS is answered by the route's CORS rules. */
  readonly answersPreflight: boolean
  /** May throw what a handler throws. HEAD gets the answer to GET; its body is left out when it is sent. */
  answer(request: FastRequest): Answer
}

/** What a `route` handler may give, besides a string or bytes. */
export interface FastResponse {
  /** @default 200 */
  readonly status?: number
  /** Added to the route's own headers. */
  readonly headers?: Fields
  /** @default empty */
  readonly body?: string | Uint8Array
}

/** What is common to both kinds: options, cross-origin headers, preflights. */
abstract class Route implements FastRoute {
  readonly path: string
  readonly methods: readonly string[]
  readonly answersPreflight: boolean
  abstract readonly isStatic: boolean
  protected readonly options: RouteOptions
  readonly #cors: Cors | null

  constructor(path: string, options: RouteOptions) {
    this.path = path
    this.methods = options.methods
    this.options = options
    this.answersPreflight = options.cors !== null
    this.#cors = options.cors === null ? null : new Cors(options.cors)
  }

  answer(request: FastRequest): Answer {
    if (this.#cors === null) return this.answerFor('', request)
    const origin = this.#cors.allowedOrigin(request)
    return request.method === 'OPTIONS'
      ? this.#preflight(this.#cors, origin, request)
      : this.answerFor(origin, request)
  }

  protected abstract answerFor(allowedOrigin: string, request: FastRequest): Answer

  /** The route's headers for an allowed origin, and the headers that Vary has to list. */
  protected fieldsFor(allowedOrigin: string, vary: readonly string[]): Fields {
    if (this.#cors === null) return withVary(this.options.fields, vary)
    return withVary({ ...this.options.fields, ...this.#cors.fieldsFor(allowedOrigin) }, [
      ...vary,
      ...this.#cors.vary
    ])
  }

  #preflight(cors: Cors, allowedOrigin: string, request: FastRequest): Answer {
    const { server = 'scherzo' } = this.options.fields
    const fields: Fields = {
      server,
      allow: this.methods.join(', '),
      ...cors.fieldsFor(allowedOrigin),
      ...(allowedOrigin !== '' && cors.preflightFields(request, this.methods))
    }
    return Answer.withoutBody(
      new Head(204, withVary(fields, [...cors.vary, 'Access-Control-Request-Headers']))
    )
  }
}

/** A value that never changes: every answer it can have is made once. */
export class StaticRoute extends Route {
  readonly isStatic = true
  readonly #status: number
  readonly #bodies: ReadonlyMap<Encoding | null, StaticBody>
  readonly #answers = new Map<string, Answer>()

  constructor(path: string, options: RouteOptions, status: number, value: Uint8Array) {
    super(path, options)
    this.#status = status
    this.#bodies = bodiesOf(value, options)
  }

  protected answerFor(allowedOrigin: string, request: FastRequest): Answer {
    const encoding = this.#encodingFor(request)
    const { tag } = this.#bodies.get(encoding)!
    const isConditional = this.#status === 200 && (request.method === 'GET' || request.method === 'HEAD')
    const ifNoneMatch = isConditional ? request.header('if-none-match') : undefined
    const status = ifNoneMatch !== undefined && isNamedBy(tag, ifNoneMatch) ? 304 : this.#status

    const key = `${status} ${encoding} ${allowedOrigin}`
    let answer = this.#answers.get(key)
    if (answer === undefined) {
      answer = this.#compose(status, encoding, allowedOrigin)
      this.#answers.set(key, answer)
    }
    return answer
  }

  #encodingFor(request: FastRequest): Encoding | null {
    if (this.#bodies.size === 1) return null
    const acceptEncoding = request.header('accept-encoding')
    if (acceptEncoding === undefined) return null
    return chooseEncoding(
      acceptEncoding,
      encodings.filter((encoding) => this.#bodies.has(encoding))
    )
  }

  #compose(status: number, encoding: Encoding | null, allowedOrigin: string): Answer {
    const { tag, bytes } = this.#bodies.get(encoding)!
    const { 'content-type': contentType = '', ...others } = this.fieldsFor(
      allowedOrigin,
      this.#bodies.size === 1 ? [] : ['Accept-Encoding']
    )
    if (status === 304) return Answer.withoutBody(new Head(304, { ...others, etag: tag }))
    const fields = {
      ...others,
      'content-type': contentType,
      ...(encoding !== null && { 'content-encoding': encoding }),
      ...(status === 200 && { etag: tag })
    }
    const head = new Head(status, fields)
    return head.hasBody ? Answer.ofBytes(head, bytes) : Answer.withoutBody(head)
  }
}

/** Runs the app's handler for every request. */
export class HandlerRoute extends Route {
  readonly isStatic = false
  readonly #handler: (request: FastRequest) => unknown
  readonly #render: (head: Head, result: unknown) => Answer
  readonly #heads = new Map<string, Head>()

  /**
   * @param render makes the answer from what the handler gave; throws SCZ_ERR_FAST_VALUE for what it can't send
   */
  constructor(
    path: string,
    options: RouteOptions,
    handler: (request: FastRequest) => unknown,
    render: (head: Head, result: unknown) => Answer
  ) {
    super(path, options)
    this.#handler = handler
    this.#render = render
  }

  protected answerFor(allowedOrigin: string, request: FastRequest): Answer {
    const result = this.#handler(request)
    if (isThenable(result)) throw new ScherzoError('SCZ_ERR_FAST_ASYNC', [this.path])
    return this.#render(this.#headFor(allowedOrigin), result)
  }

  #headFor(allowedOrigin: string): Head {
    let head = this.#heads.get(allowedOrigin)
    if (head === undefined) {
      head = new Head(200, this.fieldsFor(allowedOrigin, []))
      this.#heads.set(allowedOrigin, head)
    }
    return head
  }
}

interface StaticBody {
  readonly bytes: Uint8Array
  readonly tag: string
}

/** Formats that compress well; images, archives and the like do not. */
const TEXT_FORMAT =
  /^(?:text\/|application\/(?:json|javascript|xml|wasm|manifest\+json)|image\/svg)|\+(?:json|xml)\b/

function bodiesOf(value: Uint8Array, options: RouteOptions): Map<Encoding | null, StaticBody> {
  const bodies = new Map<Encoding | null, StaticBody>([[null, { bytes: value, tag: entityTagOf(value, '') }]])
  const wanted = options.compress ?? TEXT_FORMAT.test(options.fields['content-type'] ?? '')
  if (!wanted || value.length < COMPRESSION_MINIMUM) return bodies
  for (const encoding of encodings) {
    const bytes = compress(encoding, value)
    if (bytes.length < value.length) bodies.set(encoding, { bytes, tag: entityTagOf(value, encoding) })
  }
  return bodies
}

function withVary(fields: Fields, names: readonly string[]): Fields {
  if (names.length === 0) return fields
  const vary = fields['vary'] === undefined ? names : [fields['vary'], ...names]
  return { ...fields, vary: vary.join(', ') }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
