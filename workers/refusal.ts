import { STATUS_CODES } from 'node:http'
import { ScherzoError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'

/** What the main lane answers without the app. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
}

/** In the form of Fastify's own errors. */
export function refusalFor(code: ErrorCode): Refusal {
  const { message, statusCode } = new ScherzoError(code)
  const status = statusCode ?? 400
  const body = JSON.stringify({ statusCode: status, code, error: STATUS_CODES[status], message })
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body)
  }
  return { status, headers, body }
}
