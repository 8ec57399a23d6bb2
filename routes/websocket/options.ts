import type { FastifyRequest, RouteShorthandOptions } from 'fastify'
import { type Pace, paceOf } from '../../core/broadcast/pace.ts'
import { DEFAULT_SLOW_POLICY, isSlowPolicy } from '../../core/broadcast/subscriptions.ts'
import type { SlowPolicy } from '../../core/broadcast/subscriptions.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import { withDeflate } from '../../core/websocket/deflate-protocol.ts'
import { SUBPROTOCOL } from '../protocol/subprotocol.ts'
import type { HubSocket } from './hub-socket.ts'
import { isClientLimits, readLimits } from './limits.ts'
import type { ClientLimits, Limits } from './limits.ts'
import type { Authenticate, Authorize, Identity, TokenAuthenticator } from './identity.ts'
import type { PresenceData } from './presence-data.ts'

/** What Fastify does with the request before it becomes a WebSocket. */
export type BeforeUpgrade = Pick<
  RouteShorthandOptions,
  'config' | 'constraints' | 'onRequest' | 'preHandler' | 'preValidation' | 'schema'
>

/** Options of a WebSocket route. A handler that throws, or whose promise is rejected, ends its own socket with 1011. */
export interface HubRouteOptions extends BeforeUpgrade {
  /** Gets every message: text as a string, binary as a Buffer of its own. */
  readonly onMessage?: (socket: HubSocket, data: string | Buffer, isBinary: boolean) => unknown
  /** Called before the first message. `request` is what the hooks of the route have seen. */
  readonly onOpen?: (socket: HubSocket, request: FastifyRequest) => unknown
  /** Called once; 1005 where the client gave no code, 1006 where the connection was lost. */
  readonly onClose?: (socket: HubSocket, code: number, reason: string) => unknown
  /** What every socket is subscribed to on connect. */
  readonly channels?:
    | readonly string[]
    | ((request: FastifyRequest, identity: Identity | null) => readonly string[])
  /** Finds out who connects, before the 101: a function, or what `jwt()` gives. @default nobody asks */
  readonly authenticate?: Authenticate | TokenAuthenticator
  /**
   * Whether an identity may subscribe to a channel, publish to it or see who is present in it. Where the channel's rule speaks
   * about that, too, both have to say yes.
   *
   * @default as the rule says; without one, the app may everything, and clients that speak `scherzo.v1` nothing by themselves
   */
  readonly authorize?: Authorize
  /**
   * What others see of an identity in channels with presence, beside its id: a value that JSON can hold, up to 1 KiB of it.
   * @default nothing
   */
  readonly presenceData?: PresenceData
  /**
   * Subprotocols in the order of preference, or a function that chooses among those offered. Sockets that have chosen
   * `scherzo.v1` speak the protocol of docs/PROTOCOL.md, and `onMessage` gets nothing of theirs.
   * @default `scherzo.v1` on routes without `onMessage`, none on others
   */
  readonly protocols?: readonly string[] | ((offered: readonly string[]) => string | null)
  /** Origins whose pages may connect, such as `https://example.com`. @default all */
  readonly origins?: readonly string[]
  /** Longest message of a client in bytes, inflated. @default the setting of this name */
  readonly maxMessageBytes?: number
  /** Most frames in one message of a client. @default the setting of this name */
  readonly maxFragments?: number
  /** Whether to compress where the client can. @default true, unless the setting compressionLevel is 0 */
  readonly compress?: boolean
  /** Messages from this length in bytes on are compressed. @default the setting of this name */
  readonly compressionThreshold?: number
  /** How much its clients may do. @default the settings of these names */
  readonly limits?: ClientLimits
  /**
   * Whether several messages of a channel come as one, a JSON array. `true` waits for more while the worker is busy, up to the
   * setting websocketBatchTimeout; a pace of its own always waits. `false` also takes the choice from clients, who otherwise
   * ask with `?batch=`. @default no batches, unless the client asks
   */
  readonly batch?: boolean | BatchOptions
  /** Whether the JSON of channels comes in binary messages. @default false */
  readonly binary?: boolean
  /** What becomes of a subscriber that does not keep up. @default close at 1 MiB or after 30 seconds */
  readonly slow?: Partial<SlowPolicy>
}

/** A batch is closed by whichever comes first. */
export interface BatchOptions {
  /** Most messages in a batch. @default the setting websocketBatchSize */
  readonly size?: number
  /** Seconds from its first message on. @default the setting websocketBatchTimeout */
  readonly timeout?: number
}

/** The options of a route with every choice made. */
export interface EndpointOptions {
  readonly onMessage: NonNullable<HubRouteOptions['onMessage']> | null
  readonly onOpen: NonNullable<HubRouteOptions['onOpen']> | null
  readonly onClose: NonNullable<HubRouteOptions['onClose']> | null
  readonly channelsFor: (request: FastifyRequest, identity: Identity | null) => readonly string[]
  readonly authenticate: Authenticate | null
  /** Where identities come from tokens. */
  readonly tokens: TokenAuthenticator | null
  readonly authorize: Authorize | null
  readonly presenceData: PresenceData | null
  /** 0: no limit. */
  readonly maxSocketsPerIdentity: number
  readonly chooseProtocol: ((offered: readonly string[], deflates: boolean) => string | null) | null
  readonly origins: readonly string[] | null
  readonly maxMessageBytes: number
  readonly maxFragments: number
  /** In seconds; 0: clients are never pinged. */
  readonly pingInterval: number
  readonly compress: boolean
  readonly compressionThreshold: number
  readonly compressionLevel: number
  readonly limits: Limits
  /** For those who do not ask for anything else; null: no batches. */
  readonly batch: Pace | null
  /** For those who only ask for batches. */
  readonly batchDefault: Pace
  readonly mayAskForBatch: boolean
  readonly isBinary: boolean
  readonly slow: SlowPolicy
}

/** @throws SCZ_ERR_WS_OPTION */
export function readEndpointOptions(
  path: string,
  given: HubRouteOptions,
  settings: Settings
): EndpointOptions {
  for (const [name, value] of Object.entries(given)) check(path, name, value)
  const { channels = [], authenticate = null, batch } = given
  const { protocols = given.onMessage === undefined ? [SUBPROTOCOL] : null } = given
  const compress = (given.compress ?? true) && settings.compressionLevel > 0
  const batchDefault = paceOf(settings.websocketBatchSize, settings.websocketBatchTimeout * 1000, true)
  const tokens = typeof authenticate === 'function' ? null : authenticate
  return {
    onMessage: given.onMessage ?? null,
    onOpen: given.onOpen ?? null,
    onClose: given.onClose ?? null,
    channelsFor: typeof channels === 'function' ? channels : () => channels,
    authenticate:
      tokens === null ? (authenticate as Authenticate | null) : (request) => tokens.authenticate(request),
    tokens,
    authorize: given.authorize ?? null,
    presenceData: given.presenceData ?? null,
    maxSocketsPerIdentity: settings.maxSocketsPerIdentity,
    chooseProtocol: protocols === null ? null : chooserOf(protocols, compress),
    origins: given.origins ?? null,
    maxMessageBytes: given.maxMessageBytes ?? settings.maxMessageBytes,
    maxFragments: given.maxFragments ?? settings.maxFragments,
    pingInterval: settings.pingInterval,
    compress,
    compressionThreshold: given.compressionThreshold ?? settings.compressionThreshold,
    compressionLevel: settings.compressionLevel,
    batch: typeof batch === 'object' ? ownPace(batch, settings) : batch === true ? batchDefault : null,
    batchDefault,
    mayAskForBatch: batch !== false,
    isBinary: given.binary ?? false,
    limits: readLimits(given.limits ?? {}, settings),
    slow: { ...DEFAULT_SLOW_POLICY, ...given.slow }
  }
}

/** Only what Fastify is to see. */
export function beforeUpgradeOf(given: HubRouteOptions): BeforeUpgrade {
  const entries = Object.entries(given).filter(([name]) => FOR_FASTIFY.has(name))
  return Object.fromEntries(entries) as BeforeUpgrade
}

const FOR_FASTIFY: ReadonlySet<string> = new Set([
  'config',
  'constraints',
  'onRequest',
  'preHandler',
  'preValidation',
  'schema'
] satisfies (keyof BeforeUpgrade)[])

function chooserOf(
  protocols: NonNullable<HubRouteOptions['protocols']>,
  compress: boolean
): NonNullable<EndpointOptions['chooseProtocol']> {
  const choose =
    typeof protocols === 'function'
      ? protocols
      : (offered: readonly string[]) => protocols.find((protocol) => offered.includes(protocol)) ?? null
  return compress ? withDeflate(choose) : (offered) => choose(offered)
}

function ownPace({ size, timeout }: BatchOptions, settings: Settings): Pace {
  const { websocketBatchSize, websocketBatchTimeout } = settings
  return paceOf(size ?? websocketBatchSize, (timeout ?? websocketBatchTimeout) * 1000, false)
}

type OwnName = Exclude<keyof HubRouteOptions, keyof BeforeUpgrade>

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

const aFunction: Rule = { expected: 'a function', holds: isFunction }

const RULES: Readonly<Record<OwnName, Rule>> = {
  onMessage: aFunction,
  onOpen: aFunction,
  onClose: aFunction,
  channels: { expected: 'a list of channels, or a function that gives one', holds: isListOrFunction },
  authenticate: {
    expected: 'a function that gives an identity or null, or what jwt() gives',
    holds: (value) => isFunction(value) || isTokenAuthenticator(value)
  },
  authorize: aFunction,
  presenceData: aFunction,
  protocols: { expected: 'a list of subprotocols, or a function that chooses one', holds: isListOrFunction },
  origins: { expected: 'a list of origins', holds: isList },
  maxMessageBytes: { expected: 'a whole number of bytes from 1 to 1073741824', holds: isWithin(1, 2 ** 30) },
  maxFragments: { expected: 'a whole number from 1 to 1000000000', holds: isWithin(1, 1e9) },
  compress: { expected: 'true or false', holds: (value) => typeof value === 'boolean' },
  compressionThreshold: {
    expected: 'a whole number of bytes from 0 to 1073741824',
    holds: isWithin(0, 2 ** 30)
  },
  limits: {
    expected:
      '{ messagesPerSecond, messageBurst, subscriptionsPerSecond, subscriptionBurst, maxChannels, maxChannelNameBytes }, whole numbers',
    holds: isClientLimits
  },
  batch: {
    expected: 'true, false or { size, timeout }: messages from 1 to 10000, and seconds from 0 to 10',
    holds: (value) => typeof value === 'boolean' || isBatchOptions(value)
  },
  binary: { expected: 'true or false', holds: (value) => typeof value === 'boolean' },
  slow: {
    expected: '{ policy: "close", "skip" or "latest", maxBytes, maxAge in milliseconds }',
    holds: isSlowPolicy
  }
}

function check(path: string, name: string, value: unknown): void {
  if (FOR_FASTIFY.has(name) || value === undefined) return
  if (!Object.hasOwn(RULES, name))
    throw new ScherzoError('SCZ_ERR_WS_OPTION', [name, path, 'no option has this name'])
  const { expected, holds } = RULES[name as OwnName]
  if (!holds(value)) throw new ScherzoError('SCZ_ERR_WS_OPTION', [name, path, `use ${expected}`])
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function isTokenAuthenticator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { authenticate, verify, messageTimeout } = value as Partial<TokenAuthenticator>
  const isTimeout = messageTimeout === null || isWithin(1, 86_400)(messageTimeout)
  return isFunction(authenticate) && isFunction(verify) && isTimeout
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.every((element) => typeof element === 'string' && element !== '')
}

function isListOrFunction(value: unknown): boolean {
  return isFunction(value) || isList(value)
}

function isWithin(least: number, most: number): (value: unknown) => boolean {
  return (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

function isBatchOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { size = 1, timeout = 0, ...rest } = value as BatchOptions
  const isTime = typeof timeout === 'number' && timeout >= 0 && timeout <= 10
  return isWithin(1, 10_000)(size) && isTime && Object.keys(rest).length === 0
}
