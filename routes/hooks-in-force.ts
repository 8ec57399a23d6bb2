import type { FastifyInstance, RouteOptions } from 'fastify'
import { isIndifferentPlugin } from './indifferent-plugins.ts'

/** Hooks that run before a response is sent, and so can change it. (`onResponse` comes too late for that.) */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend'] as const
type HookName = (typeof HOOKS)[number]

/**
 * Knows which hooks apply to a route. Fastify does not tell, and a fast route that an app guards with an `onRequest` hook
 * must not be answered around that hook; so every `addHook` is watched.
 */
export class HooksInForce {
  readonly #names = new WeakMap<FastifyInstance, Set<HookName>>()

  constructor(root: FastifyInstance) {
    const names = this.#names
    const addHook = root.addHook as (this: FastifyInstance, name: string, hook: unknown) => FastifyInstance
    root.addHook = function (this: FastifyInstance, name: string, hook: unknown): FastifyInstance {
      if (isHookName(name) && !isIndifferentPlugin()) {
        const own = names.get(this) ?? new Set()
        names.set(this, own.add(name))
      }
      return addHook.call(this, name, hook)
    } as FastifyInstance['addHook']
  }

  /** The hooks that run for a route of the instance: its own, and those of every instance around it. */
  of(instance: FastifyInstance, route: RouteOptions): HookName[] {
    return HOOKS.filter((name) => isGiven(route[name]) || this.#isIn(instance, name))
  }

  /** A plugin's instance has its parent as its prototype, and gets even the hooks that the parent is given later. */
  #isIn(instance: FastifyInstance, name: HookName): boolean {
    for (let each: FastifyInstance | null = instance; each !== null; each = Object.getPrototypeOf(each)) {
      if (this.#names.get(each)?.has(name) === true) return true
    }
    return false
  }
}

function isHookName(name: string): name is HookName {
  return (HOOKS as readonly string[]).includes(name)
}

function isGiven(hook: unknown): boolean {
  return Array.isArray(hook) ? hook.length > 0 : hook !== undefined && hook !== null
}
