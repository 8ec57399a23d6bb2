import type { RouteShorthandOptions } from 'fastify'
import { isSlowPolicy } from '../../core/broadcast/subscriptions.ts'
import type { SlowPolicy } from '../../core/broadcast/subscriptions.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { Authenticate, Authorize, TokenAuthenticator } from '../websocket/identity.ts'
import type { HubRouteOptions } from '../websocket/options.ts'
import type { PresenceData } from '../websocket/presence-data.ts'

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

/** Options of a route for server-sent events. */
export interface EventsRouteOptions extends HubHttpOptions {
  /**
   * What every stream has. @default the one in the path (`:channel` or `*`), or those of `?channel=`, as far as a rule or
   * `authorize` lets clients subscribe
   */
  readonly channels?: HubRouteOptions['channels']
  /** What others see of an identity in channels with presence, as on WebSocket routes. @default nothing */
  readonly presenceData?: PresenceData
  /** What becomes of a client that does not keep up. @default close at 1 MiB or after 30 seconds */
  readonly slow?: Partial<SlowPolicy>
}

type AnyOptions = PublishRouteOptions & EventsRouteOptions

/** @throws SCZ_ERR_HTTP_OPTION */
export function checkOptions(path: string, given: AnyOptions, names: readonly string[]): void {
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

type OwnName = Exclude<keyof AnyOptions, keyof BeforeHub>

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
  channels: {
    expected: 'a list of channels, or a function that gives one',
    holds: (value) => typeof value === 'function' || (Array.isArray(value) && value.length > 0)
  },
  presenceData: { expected: 'a function', holds: (value) => typeof value === 'function' },
  slow: {
    expected: '{ policy: "close", "skip" or "latest", maxBytes, maxAge in milliseconds }',
    holds: isSlowPolicy
  },
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
