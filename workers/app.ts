import { registerHooks } from 'node:module'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { maxHeaderSize } from 'node:http'
import type { Server } from 'node:http'
import { fastify as createFastify } from 'fastify'
import type { FastifyHttpOptions, FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import { MAX_HEAD_BYTES } from '../core/http/scanner.ts'
import { mountFastRoutes } from '../routes/mount.ts'
import type { Mounted, RouteRow } from '../routes/mount.ts'
import { FastLane } from './fast-lane.ts'
import { createMainLane } from './main-lane.ts'
import type { MainLaneLimits } from './main-lane.ts'

/** A user's app, ready to listen. */
export interface App {
  readonly fastify: FastifyInstance
  readonly routes: readonly RouteRow[]
}

/** Fastify's own options, such as `bodyLimit` and `trustProxy`, as far as they do not choose the server. */
type AppOptions = FastifyHttpOptions<Server>

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
export async function loadApp(path: string, settings: { readonly fastLane: boolean }): Promise<App> {
  resolveScherzoToThisOne()
  const { plugin, options } = await importApp(path)
  try {
    const { fastify, mounted } = createInstance(options, settings.fastLane)
    let lane: FastLane | null = null
    fastify.addHook('preClose', async () => lane?.close())
    await fastify.register(plugin as FastifyPluginAsync)
    await fastify.ready()
    if (mounted.table.size > 0) lane = new FastLane(fastify.server as Server, mounted)
    return { fastify, routes: mounted.rows }
  } catch (error) {
    throw startError(path, error)
  }
}

function createInstance(
  options: AppOptions,
  fastLane: boolean
): { fastify: FastifyInstance; mounted: Mounted } {
  if ('serverFactory' in options)
    throw new Error('its options have a serverFactory, and Scherzo makes the server itself')
  const fastify = createFastify({
    ...options,
    serverFactory: (handler, given) =>
      createMainLane(handler, options.http ?? {}, given as unknown as MainLaneLimits)
  })
  return { fastify, mounted: mountFastRoutes(fastify, reasonForLaneOff(fastLane, options)) }
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
  if ((options.maxRequestsPerSocket ?? 0) > 0) return 'the app limits requests per connection'
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

let isResolving = false

/** An app anywhere on the disk may import `scherzo`, and gets the Scherzo that runs it, installed beside it or not. */
function resolveScherzoToThisOne(): void {
  if (isResolving) return
  isResolving = true
  const index = new URL(`../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === 'scherzo' ? { url: index, shortCircuit: true } : nextResolve(specifier, context)
  })
}
