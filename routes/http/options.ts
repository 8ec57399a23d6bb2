import type { RouteShorthandOptions } from 'fastify'
import { ScherzoError } from '../../core/errors.ts'
import type { Authenticate, Authorize, TokenAuthenticator } from '../websocket/identity.ts'

/** What Fastify does with the request before the hub sees it. */
type BeforeHub = Pick<
  RouteShorthandOptions,
  'bodyLimit' | 'config' | 'constraints' | 'onRequest' | 'preHandler' | 'preValidation'
>

interface HubHttpOptions extends BeforeHub {
  /** Finds out who sends a request: a function, what `jwt()` gives, or `'none'` where whoever reaches the route may use it. */
  readonly authenticate: Authenticate | TokenAuthenticator | 'none'
  /** Whether an identity may do it, beside the rule of the channel: only `true` is a yes. @default all that are let in */
  readonly authorize?: Authorize
}

/** Options of a route that publishes. */
export interface PublishRouteOptions extends HubHttpOptions {
  /** The most messages in one request, from 1 to 10000. @default 100 */
  readonly maxMessages?: number
  /** Messages a second of one identity, or of one address with `authenticate: 'none'`, per thread. @default no limit */
  readonly messagesPerSecond?: number
  /** How many of them may come at once. @default twice as many */
  readonly messageBurst?: number
}

/** Options of a route that tells the past of a channel. */
export interface HistoryRouteOptions extends HubHttpOptions {
  /** The most messages in one answer, from 1 to 10000. @default 1000 */
  readonly maxMessages?: number
}

/** @throws SCZ_ERR_HTTP_OPTION */
export function checkOptions(path: string, given: PublishRouteOptions, names: readonly string[]): void {
  const options: unknown = given
  if (typeof options !== 'object' || options === null || given.authenticate === undefined)
    throw wrong(
      'authenticate',
      path,
      'give a function, what jwt() gives, or "none" for whoever reaches the route'
    )
  for (const [name, value] of Object.entries(given)) {
    if (FOR_FASTIFY.has(name) || value === undefined) continue
    if (!names.includes(name)) throw wrong(name, path, 'no option has this name')
    const { holds, expected } = CHECKS[name as OwnName]
    if (!holds(value)) throw wrong(name, path, `use ${expected}`)
  }
}

/** Only what Fastify is to see. */
export function beforeHubOf(given: HubHttpOptions): BeforeHub {
  return Object.fromEntries(Object.entries(given).filter(([name]) => FOR_FASTIFY.has(name)))
}

const FOR_FASTIFY: ReadonlySet<string> = new Set([
  'bodyLimit',
  'config',
  'constraints',
  'onRequest',
  'preHandler',
  'preValidation'
] satisfies (keyof BeforeHub)[])

type OwnName = Exclude<keyof PublishRouteOptions, keyof BeforeHub>

interface Check {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

const aRate: Check = { expected: 'a whole number from 1 to 1000000', holds: isWithin(1, 1_000_000) }

const CHECKS: { readonly [Name in OwnName]: Check } = {
  authenticate: {
    expected: 'a function that gives an identity or null, what jwt() gives, or "none"',
    holds: (value) => value === 'none' || typeof value === 'function' || isAuthenticator(value)
  },
  authorize: { expected: 'a function', holds: (value) => typeof value === 'function' },
  maxMessages: { expected: 'a whole number from 1 to 10000', holds: isWithin(1, 10_000) },
  messagesPerSecond: aRate,
  messageBurst: aRate
}

function isAuthenticator(value: unknown): boolean {
  return typeof (Object(value) as Partial<TokenAuthenticator>).authenticate === 'function'
}

function isWithin(least: number, most: number): (value: unknown) => boolean {
  return (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

function wrong(name: string, path: string, problem: string): ScherzoError {
  return new ScherzoError('SCZ_ERR_HTTP_OPTION', [name, path, problem])
}
