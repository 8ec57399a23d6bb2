import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Socket } from 'node:net'
import type { FastMethod } from '../core/http/scanner.ts'
import { createFast } from './fast.ts'
import type { Fast } from './fast.ts'
import type { FastRoute } from './fast-route.ts'
import { HooksInForce } from './hooks-in-force.ts'
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
    // Looked up at once: plugins such as @fastify/websocket put a handler of their own around each.
    registered.push({ options, instance: this, route: twins.get(options.handler) ?? null })
  })

  fastify.addHook('onReady', async () => {
    const constrained = new Set(registered.filter(hasConstraints).map(({ options }) => options.url))
    for (const { options, instance, route } of registered) {
      const path = options.url
      const methods = [options.method].flat()
      const note =
        route === null ? '' : (laneOff ?? reasonForMainLane(path, constrained, hooks.of(instance, options)))
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

/** The fast lane answers only what it is sure of: nothing between it and Fastify may change the answer. */
function reasonForMainLane(path: string, constrained: ReadonlySet<string>, hooks: readonly string[]): string {
  if (/[:*%]/.test(path)) return 'its prefix is not exact'
  if (constrained.has(path)) return 'another route of this path has constraints'
  return hooks.length === 0 ? '' : `hooks run for it: ${hooks.join(', ')}`
}

function isFastMethod(method: string, route: FastRoute): method is FastMethod {
  return method === 'GET' || method === 'HEAD' || (method === 'OPTIONS' && route.answersPreflight)
}

function hasConstraints({ options: { constraints } }: Registered): boolean {
  return constraints !== undefined && Object.keys(constraints).length > 0
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
