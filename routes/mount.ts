import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Socket } from 'node:net'
import type { FastMethod } from '../core/http/scanner.ts'
import { createFast, isExactPath } from './fast.ts'
import type { Fast } from './fast.ts'
import type { FastRoute } from './fast-route.ts'
import { HooksInForce } from './hooks-in-force.ts'
import { isIndifferentPlugin } from './indifferent-plugins.ts'
import { FastTable } from './table.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Routes that Scherzo answers before any framework code runs. */
    readonly fast: Fast
  }
}

/** One line of the route table that people see. */
export interface RouteRow {
  readonly methods: readonly string[]
  readonly path: string
  readonly lane: 'fast' | 'main'
  /** Why a fast route is on the main lane, or the empty string. */
  readonly note: string
}

export interface Mounted {
  readonly table: FastTable
  /** Filled when the app is ready. */
  readonly rows: readonly RouteRow[]
  /** Errors that handlers threw on the fast lane, for the Fastify route to throw again. */
  readonly faults: WeakMap<Socket, { readonly error: unknown }>
}

interface Registered {
  readonly options: RouteOptions
  readonly instance: FastifyInstance
  /** Null for an ordinary route of the app. */
  readonly route: FastRoute | null
  /** Whether an onRoute hook has put another handler in the place of ours. */
  isWrapped: boolean
}

/**
 * Gives a root instance, before its plugins, `fastify.fast`, and fills the fast-route table once the app is ready.
 *
 * @param laneOff why no route may use the fast lane, or null
 */
export function mountFastRoutes(fastify: FastifyInstance, laneOff: string | null): Mounted {
  const table = new FastTable()
  const rows: RouteRow[] = []
  const faults: Mounted['faults'] = new WeakMap()
  const twins = new Map<unknown, FastRoute>()
  const registered: Registered[] = []
  const hooks = new HooksInForce(fastify)

  fastify.decorate('fast', {
    getter(this: FastifyInstance): Fast {
      return createFast(this, {
        register: (handler, route) => twins.set(handler, route),
        takeFault(request) {
          const fault = faults.get(request.raw.socket)
          if (fault === undefined) return null
          faults.delete(request.raw.socket)
          return fault
        }
      })
    }
  })

  fastify.addHook('onRoute', function (options) {
    const route = twins.get(options.handler) ?? null
    const entry: Registered = { options, instance: this, route, isWrapped: false }
    if (route !== null) watchHandler(entry)
    registered.push(entry)
  })

  fastify.addHook('onReady', async () => {
    const reasons = new ReasonsForMainLane(registered, hooks)
    for (const entry of registered) {
      const { options, route } = entry
      const path = options.url
      const methods = [options.method].flat()
      const note = route === null ? '' : (laneOff ?? reasons.for(entry))
      if (route === null || note !== '') {
        addRow(rows, { methods, path, lane: 'main', note })
        continue
      }
      const fast = methods.filter((method) => isFastMethod(method, route))
      for (const method of fast) table.add(method, path, route)
      addRow(rows, { methods: fast, path, lane: 'fast', note: '' })
      addRow(rows, {
        methods: methods.filter((method) => !isFastMethod(method, route)),
        path,
        lane: 'main',
        note: ''
      })
    }
  })

  return { table, rows, faults }
}

/**
 * Why a fast route has to be answered by Fastify. The fast lane answers only what it is sure of: nothing that the app put
 * between it and the handler may change the answer.
 */
class ReasonsForMainLane {
  readonly #hooks: HooksInForce
  /** Whether a request header decides which routes there are, as Accept-Version does. */
  readonly #isVersioned: boolean
  readonly #constrained: ReadonlySet<string>

  constructor(registered: readonly Registered[], hooks: HooksInForce) {
    this.#hooks = hooks
    this.#isVersioned = registered.some(({ options }) =>
      constraintsOf(options).some((name) => name !== 'host')
    )
    const constrained = registered.filter(({ options }) => constraintsOf(options).length > 0)
    this.#constrained = new Set(constrained.map(({ options }) => loosely(options.url)))
  }

  /** The reason, or the empty string. */
  for({ options, instance, isWrapped }: Registered): string {
    if (!isExactPath(options.url)) return 'its prefix is not exact'
    if (this.#isVersioned) return 'the app has routes with constraints'
    if (this.#constrained.has(loosely(options.url))) return 'another route of this path has constraints'
    if (isWrapped) return 'an onRoute hook replaces its handler'
    if (validates(options)) return 'an onRoute hook gives it a schema'
    const names = this.#hooks.of(instance, options)
    return names.length === 0 ? '' : `hooks run for it: ${names.join(', ')}`
  }
}

/** Notices an onRoute hook of the app that replaces the handler. */
function watchHandler(entry: Registered): void {
  let handler = entry.options.handler
  Object.defineProperty(entry.options, 'handler', {
    enumerable: true,
    configurable: true,
    get: () => handler,
    set(replacement: RouteOptions['handler']) {
      if (!isIndifferentPlugin()) entry.isWrapped = true
      handler = replacement
    }
  })
}

/** Paths that an app may declare to be the same: by case, by trailing or by doubled slashes. */
function loosely(path: string): string {
  return path.toLowerCase().replaceAll(/\/+/g, '/').replace(/\/$/, '')
}

function constraintsOf({ constraints }: RouteOptions): string[] {
  return Object.keys(constraints ?? {})
}

function validates({ schema }: RouteOptions): boolean {
  return ['body', 'querystring', 'query', 'params', 'headers'].some((part) => part in (schema ?? {}))
}

function isFastMethod(method: string, route: FastRoute): method is FastMethod {
  return method === 'GET' || method === 'HEAD' || (method === 'OPTIONS' && route.answersPreflight)
}

/** Adds a row, or its methods to the row of the same path and lane: Fastify registers HEAD apart from GET. */
function addRow(rows: RouteRow[], row: RouteRow): void {
  if (row.methods.length === 0) return
  const index = rows.findIndex(
    ({ path, lane, note }) => path === row.path && lane === row.lane && note === row.note
  )
  const same = rows[index]
  if (same === undefined) rows.push(row)
  else rows[index] = { ...same, methods: [...new Set([...same.methods, ...row.methods])] }
}
