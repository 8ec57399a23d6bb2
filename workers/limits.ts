import type { Server } from 'node:http'
import type { FastifyHttpOptions } from 'fastify'
import type { Settings } from '../core/settings.ts'

/** Fastify's own options, such as `bodyLimit` and `trustProxy`, as far as they do not choose the server. */
export type AppOptions = FastifyHttpOptions<Server>

/** What clients may ask of a worker, on either lane. Times are in milliseconds; 0 is no limit. */
export interface Limits {
  readonly maxConnections: number
  readonly maxRequests: number
  /** In bytes. */
  readonly bodyLimit: number
  readonly headersTimeout: number
  readonly requestTimeout: number
  readonly keepAliveTimeout: number
  readonly sendTimeout: number
  /** For an idle socket at any time; only an app sets it, as Fastify's `connectionTimeout`. */
  readonly connectionTimeout: number
}

/** Who runs the server has the last word, then comes the app; the defaults are safe on the open internet. */
export function limitsFor(settings: Settings, app: AppOptions): Limits {
  const http = app.http ?? {}
  const headersTimeout = milliseconds(settings.headersTimeout) ?? http.headersTimeout ?? 15_000
  const requestTimeout =
    milliseconds(settings.requestTimeout) ?? app.requestTimeout ?? http.requestTimeout ?? 60_000
  return {
    maxConnections: settings.maxConnections,
    maxRequests: settings.maxRequests ?? app.maxRequestsPerSocket ?? 0,
    bodyLimit: settings.bodyLimit ?? app.bodyLimit ?? 1_048_576,
    // The head is part of the request; node:http refuses a longer limit for it.
    headersTimeout:
      requestTimeout > 0 ? Math.min(headersTimeout || requestTimeout, requestTimeout) : headersTimeout,
    requestTimeout,
    keepAliveTimeout:
      milliseconds(settings.keepAliveTimeout) ?? app.keepAliveTimeout ?? http.keepAliveTimeout ?? 72_000,
    sendTimeout: settings.sendTimeout * 1000,
    connectionTimeout: app.connectionTimeout ?? 0
  }
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000
}
