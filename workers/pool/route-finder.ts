import type { IncomingMessage, ServerResponse } from 'node:http'
import findMyWay from 'find-my-way'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { RouteRow } from '../../routes/mount.ts'
import type { AppOptions } from '../limits.ts'
import type { Cost } from './schedule.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** multithread: runs the route on the worker's own loop, where its socket is. @default false */
    inline?: boolean
  }
}

/** What the pool knows of a route. */
export interface Route {
  readonly isInline: boolean
  /** The longest body of a request, in bytes. */
  readonly bodyLimit: number
  readonly cost: Cost
}

type Router = ReturnType<typeof findMyWay>
type RouterOptions = NonNullable<Parameters<typeof findMyWay>[0]>

interface Registered {
  readonly options: RouteOptions & { readonly websocket?: boolean; readonly wsHandler?: unknown }
  /** As it was when the hook saw it: Fastify goes on with the same object for a prefix with and without its slash. */
  readonly url: string
  readonly methods: readonly string[]
}

const ROUTER_OPTIONS = [
  'allowUnsafeRegex',
  'caseSensitive',
  'constraints',
  'ignoreDuplicateSlashes',
  'ignoreTrailingSlash',
  'maxParamLength',
  'useSemicolonDelimiter'
] as const

/** Finds, in the worker, the route that Fastify will find for a request in a pool thread. */
export class RouteFinder {
  readonly #fastify: FastifyInstance
  readonly #router: Router
  readonly #bodyLimit: number
  readonly #rewriteUrl: AppOptions['rewriteUrl']
  readonly #registered: Registered[] = []
  readonly #unfound: Route
  #isAsync = false

  /** Has to come before the app's plugins. */
  constructor(fastify: FastifyInstance, options: AppOptions, bodyLimit: number) {
    this.#fastify = fastify
    this.#router = findMyWay(routerOptions(options))
    this.#bodyLimit = bodyLimit
    this.#rewriteUrl = options.rewriteUrl
    this.#unfound = { isInline: false, bodyLimit, cost: { milliseconds: null, samples: 0 } }
    for (const strategy of Object.values(routerOptions(options).constraints ?? {})) this.#watch(strategy)
    this.#followStrategies()
    fastify.addHook('onRoute', (route) => {
      this.#registered.push({ options: route, url: route.url, methods: [route.method].flat() })
    })
  }

  /** Once all routes are known. @param rows the routes as they are mounted */
  build(rows: readonly RouteRow[]): void {
    for (const { options, url, methods } of this.#registered) {
      const { websocket, wsHandler, config, bodyLimit, constraints = {} } = options
      const isFast = rows.some(
        (row) => row.lane === 'fast' && row.path === url && methods.some((name) => row.methods.includes(name))
      )
      const route: Route = {
        isInline: isFast || websocket === true || wsHandler !== undefined || config?.inline === true,
        bodyLimit: bodyLimit ?? this.#bodyLimit,
        cost: { milliseconds: null, samples: 0 }
      }
      for (const path of new Set([url, options.url])) {
        for (const method of methods) this.#add(method, path, constraints, route)
      }
    }
  }

  /** The route of a request; where none is found, that of all requests that Fastify answers with 404. */
  find(request: IncomingMessage, response: ServerResponse): Route {
    if (this.#isAsync) return this.#unfound
    if (this.#rewriteUrl === undefined) return this.#lookUp(request, response)
    const { url } = request
    const rewritten: unknown = this.#rewriteUrl.call(this.#fastify, request as never)
    if (typeof rewritten !== 'string') return this.#unfound
    request.url = rewritten
    const route = this.#lookUp(request, response)
    if (url !== undefined) request.url = url
    return route
  }

  #lookUp(request: IncomingMessage, response: ServerResponse): Route {
    const route: unknown = this.#router.lookup(request, response)
    return (route as Route | undefined) ?? this.#unfound
  }

  #add(
    method: string,
    path: string,
    constraints: NonNullable<RouteOptions['constraints']>,
    route: Route
  ): void {
    const name = method as Parameters<Router['hasRoute']>[0]
    // A prefix with a slash may be a route of its own.
    if (this.#router.hasRoute(name, path, constraints)) return
    this.#router.on(name, path, { constraints }, giveRoute, route)
  }

  /** Plugins may add ways to choose between routes. */
  #followStrategies(): void {
    const fastify = this.#fastify
    const add = fastify.addConstraintStrategy
    fastify.addConstraintStrategy = (strategy): void => {
      add.call(fastify, strategy)
      this.#watch(strategy)
      // A method that the types of find-my-way leave out.
      ;(this.#router as unknown as { addConstraintStrategy(strategy: unknown): void }).addConstraintStrategy(
        strategy
      )
    }
  }

  /** A choice that is made later can't be made here: all requests of such an app go to the pool. */
  #watch(strategy: object): void {
    const { deriveConstraint } = strategy as { readonly deriveConstraint?: (...values: never[]) => unknown }
    if ((deriveConstraint?.length ?? 0) > 2) this.#isAsync = true
  }
}

/** The options of Fastify's router, from where it takes them itself. */
function routerOptions(options: AppOptions): RouterOptions {
  const given = options as Readonly<Record<string, unknown>>
  const nested = (given['routerOptions'] ?? {}) as Readonly<Record<string, unknown>>
  const chosen = ROUTER_OPTIONS.map((name) => [name, nested[name] ?? given[name]] as const)
  return {
    ...(Object.fromEntries(chosen.filter(([, value]) => value !== undefined)) as RouterOptions),
    // Its own would answer the request.
    defaultRoute: giveNone
  }
}

function giveNone(): void {}

function giveRoute(_request: unknown, _response: unknown, _params: unknown, route: Route): Route {
  return route
}
