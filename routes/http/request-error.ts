import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ScherzoError } from '../../core/errors.ts'
import type { ErrorCode } from '../../core/errors.ts'

/** An error of the hub, with the status that it has where a request is the cause. */
class RequestError extends ScherzoError {
  override readonly statusCode: number

  constructor(cause: ScherzoError, statusCode: number) {
    super(cause.code, cause.values, { cause })
    this.statusCode = statusCode
  }
}

/** An error as it stands in a list of results: like the body of an answer. */
export interface ListedError {
  readonly statusCode: number
  readonly code?: string
  readonly error: string
  readonly message: string
}

/** What to throw for an error, which may have headers of its own. */
export function refusalFor(error: unknown, reply: FastifyReply): unknown {
  if (!(error instanceof ScherzoError)) return error
  const status = statusOf(error)
  if (status === 429 || status === 503) reply.header('retry-after', retryAfterOf(error))
  return status === null || status === error.statusCode ? error : new RequestError(error, status)
}

/** What the app is to know and the client is not goes to the log. */
export function listedError(error: unknown, request: FastifyRequest): ListedError {
  const status = error instanceof ScherzoError ? statusOf(error) : null
  if (!(error instanceof ScherzoError) || status === null) {
    request.log.error({ err: error }, 'Cannot publish one of the messages of a request')
    return { statusCode: 500, error: STATUS_CODES[500]!, message: 'The server failed' }
  }
  const { code, message } = error
  return { statusCode: status, code, error: STATUS_CODES[status]!, message }
}

/** Statuses of errors that answer a request only here. */
const STATUSES: { readonly [Code in ErrorCode]?: number } = {
  SCZ_ERR_HUB_CHANNEL: 400,
  SCZ_ERR_HUB_DATA: 400,
  SCZ_ERR_HUB_IDEMPOTENCY_KEY: 400,
  SCZ_ERR_HUB_LIMIT: 400,
  SCZ_ERR_HUB_SINCE: 400,
  SCZ_ERR_BUS_NAME: 400,
  SCZ_ERR_HUB_OFFSET: 409,
  SCZ_ERR_HUB_MESSAGE_SIZE: 413,
  SCZ_ERR_BUS_MESSAGE_SIZE: 413,
  SCZ_ERR_BUS_OVERLOAD: 503,
  SCZ_ERR_BUS_CLOSED: 503,
  SCZ_ERR_CLOSED: 503
}

/** Null for what is the server's fault. */
function statusOf({ code, statusCode }: ScherzoError): number | null {
  return STATUSES[code] ?? statusCode
}

/** In seconds. */
function retryAfterOf({ code, values }: ScherzoError): number {
  return code === 'SCZ_ERR_HTTP_RATE' ? Number(values[1]) : 1
}
