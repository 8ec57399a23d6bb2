import { registerHooks } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { maxHeaderSize } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { LogController, fastify as createFastify } from 'fastify'
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import type { Logger } from 'pino'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import { MAX_HEAD_BYTES } from '../core/http/scanner.ts'
import type { Settings } from '../core/settings.ts'
import { mountHub } from '../routes/hub.ts'
import { addEventsRoute } from '../routes/http/events-route.ts'
import { addHistoryRoute } from '../routes/http/history-route.ts'
import { addPublishRoute } from '../routes/http/publish-route.ts'
import type { Publishing } from '../routes/hub.ts'
import { identityCalls } from '../routes/websocket/control.ts'
import { Endpoints } from '../routes/websocket/endpoints.ts'
import { mountFastRoutes } from '../routes/mount.ts'
import type { Mounted, RouteRow } from '../routes/mount.ts'
import { Draining } from './draining.ts'
import { FastLane } from './fast-lane.ts'
import type { ThreadHub } from './hub/thread-hub.ts'
import { LaneState } from './lane-state.ts'
import { limitsFor } from './limits.ts'
import type { AppOptions } from './limits.ts'
import { createMainLane } from './main-lane.ts'
import type { TlsMaterial } from './messages.ts'
import type { Stats } from './metrics/stats.ts'
import { Pool } from './pool/pool.ts'

/** What an app is loaded with. */
export interface AppContext {
  readonly settings: Settings
  readonly stats: Stats
  readonly log: Logger
  readonly tls: TlsMaterial | null
  /** The number of the worker that loads it. */
  readonly worker: number
  /** Threads of its pool; 0 where handlers run on this thread's own loop. */
  readonly poolThreads: number
  readonly hub: ThreadHub
}

/** A user's app, ready to listen. */
export interface App {
  readonly fastify: FastifyInstance
  readonly routes: readonly RouteRow[]
  /** The files that it was loaded from, without those of packages. */
  readonly files: readonly string[]
  readonly state: LaneState
  readonly draining: Draining
  readonly endpoints: Endpoints
  readonly pool: Pool | null
}

interface AppModule {
  readonly plugin: FastifyPluginAsync | FastifyPluginCallback
  /** What the file exports as `options`; fastify-cli has the same convention. */
  readonly options: AppOptions
}

/**
 * Loads the app's file, gives it a Fastify instance with both lanes and runs it until it is ready.
 *
 * @throws SCZ_ERR_APP_EXPORT, SCZ_ERR_APP_START
 */
export async function loadApp(path: string, context: AppContext): Promise<App> {
  const files = followImports()
  const { plugin, options } = await importApp(path)
  const pool = createPool(path, context)
  try {
    // The threads load their copies at the same time.
    const poolStart = pool?.start()
    const state = new LaneState(limitsFor(context.settings, options), context.stats)
    const { fastify, mounted, endpoints } = createInstance(options, context, state, pool)
    const server = fastify.server as Server
    const draining = new Draining(server, state)
    await fastify.register(plugin as FastifyPluginAsync)
    await fastify.ready()
    pool?.setRoutes(mounted.rows)
    await poolStart
    if (mounted.table.size > 0) draining.lane = new FastLane(server, mounted, state)
    return { fastify, routes: mounted.rows, files: [...files], state, draining, endpoints, pool }
  } catch (error) {
    await pool?.destroy()
    throw startError(path, error)
  }
}

function createPool(path: string, context: AppContext): Pool | null {
  const { poolThreads, ...rest } = context
  return poolThreads === 0 ? null : new Pool({ ...rest, app: path, threads: poolThreads })
}

function createInstance(
  options: AppOptions,
  { settings, log, tls, hub }: AppContext,
  state: LaneState,
  pool: Pool | null
): { fastify: FastifyInstance; mounted: Mounted; endpoints: Endpoints } {
  if ('serverFactory' in options)
    throw new Error('its options have a serverFactory, and Scherzo makes the server itself')
  const fastify = createFastify({
    // Requests that arrive while the worker drains are answered as any other.
    return503OnClosing: false,
    forceCloseConnections: false,
    ...withLogger(options, log),
    bodyLimit: state.limits.bodyLimit,
    serverFactory: (handler) => {
      const listener = handler as RequestListener
      return createMainLane(pool?.listener(listener) ?? listener, options.http ?? {}, state, tls)
    }
  })
  // Before all others, and so it closes after the app's own hooks, which may publish.
  fastify.addHook('onClose', async () => hub.close())
  const publishing = publishingOf(hub)
  const { rules } = hub.hub
  const endpoints = new Endpoints(fastify, settings, {
    subscriptions: hub.hub,
    attendance: hub.attendance,
    calls: publishing,
    rules
  })
  state.upgrades = endpoints
  hub.onControl = (control) => endpoints.control(control)
  mountHub(fastify, publishing, (instance) => ({
    channel: (pattern, rule) => hub.channel(pattern, rule),
    route: (path, given) => endpoints.route(instance, path, given),
    publishRoute: (path, given) => addPublishRoute(instance, path, given, publishing, rules),
    eventsRoute: (path, given) => addEventsRoute(instance, path, given, endpoints),
    historyRoute: (path, given) => addHistoryRoute(instance, path, given, publishing, rules),
    attach(socket, channels, slow) {
      const membership = endpoints.attachForeign(socket, slow)
      for (const channel of channels) membership?.subscribe(channel)
      return membership
    }
  }))
  pool?.attach(fastify, options, state.limits.bodyLimit)
  const mounted = mountFastRoutes(fastify, reasonForLaneOff(settings.fastLane, options))
  return { fastify, mounted, endpoints }
}

function publishingOf(threadHub: ThreadHub): Publishing {
  const { hub } = threadHub
  return {
    publish: (channel, data, options) => threadHub.publish(channel, data, options),
    broadcast: (data) => hub.broadcast(data),
    subscribe: (channel, listener) => hub.subscribe(channel, listener),
    channels: () => threadHub.channels(),
    history: (channel, options) => hub.history(channel, options),
    presence: (channel) => hub.presence(channel),
    ...identityCalls((control) => threadHub.control(control))
  }
}

/** The app's `fastify.log` goes the way of Scherzo's own, unless the app brings or configures another. */
function withLogger({ logger, ...options }: AppOptions, log: Logger): AppOptions {
  if (options.loggerInstance !== undefined) return options
  if (logger !== undefined && logger !== true) return { ...options, logger }
  // Two lines for each request are for those who ask for them.
  const logController = logger === true ? new LogController() : new QuietLog()
  return { logController, ...options, loggerInstance: log }
}

/** Logs the errors of requests and nothing else about them. */
class QuietLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(...values: Parameters<LogController['requestCompleted']>): void {
    if (values[0]) super.requestCompleted(...values)
  }

  override defaultErrorLog(...values: Parameters<LogController['defaultErrorLog']>): void {
    if (values[2].statusCode >= 500) super.defaultErrorLog(...values)
  }

  override routeNotFound(): void {}
}

async function importApp(path: string): Promise<AppModule> {
  let module: { readonly default?: unknown; readonly options?: unknown }
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    throw startError(path, error)
  }
  // A CommonJS module that TypeScript compiled has its default export one level down.
  const outer = module.default
  const plugin = typeof outer === 'object' && outer !== null && 'default' in outer ? outer.default : outer
  if (typeof plugin !== 'function') throw new ScherzoError('SCZ_ERR_APP_EXPORT', [basename(path)])
  return { plugin: plugin as AppModule['plugin'], options: (module.options ?? {}) as AppOptions }
}

function reasonForLaneOff(fastLane: boolean, options: AppOptions): string | null {
  if (!fastLane) return 'the fast lane is off'
  if (options.rewriteUrl !== undefined) return 'the app rewrites URLs'
  if (Object.keys(options.http ?? {}).some((name) => !OPTIONS_FOR_BOTH_LANES.has(name)))
    return 'the app sets options of the HTTP parser'
  if (maxHeaderSize < MAX_HEAD_BYTES) return 'the limit for headers is lower than the fast lane can tell'
  return null
}

/** Options of `node:http` that do not change how a request is read, or that the fast lane heeds. */
const OPTIONS_FOR_BOTH_LANES = new Set([
  'connectionsCheckingInterval',
  'headersTimeout',
  'highWaterMark',
  'keepAlive',
  'keepAliveInitialDelay',
  'keepAliveTimeout',
  'noDelay',
  'requestTimeout'
])

/** What the app threw, unless Scherzo threw it: that says enough by itself. */
function startError(path: string, error: unknown): ScherzoError {
  if (error instanceof ScherzoError) return error
  return new ScherzoError('SCZ_ERR_APP_START', [basename(path), reasonOf(error)], { cause: error })
}

let followed: Set<string> | null = null

/**
 * Collects the files that are imported from now on, and lets an app anywhere on the disk import `scherzo`: it gets the Scherzo
 * that runs it, installed beside it or not.
 */
function followImports(): ReadonlySet<string> {
  if (followed !== null) return followed
  const files = new Set<string>()
  followed = files
  const index = new URL(`../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === 'scherzo') return { url: index, shortCircuit: true }
      const resolved = nextResolve(specifier, context)
      if (resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/'))
        files.add(fileURLToPath(resolved.url))
      return resolved
    }
  })
  return files
}
