import type { FastifyInstance, RouteOptions } from 'fastify'

/** Hooks that run around a handler, and so see or change a request or its response. */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend', 'onResponse'] as const
type HookName = (typeof HOOKS)[number]

/**
 * Knows which hooks apply to a route. Fastify does not tell, and a fast route that an app guards with an `onRequest` hook
 * must not be answered around that hook; so every `addHook` is watched, by the rules of encapsulation: a plugin starts
 * with its parent's hooks and keeps its own to itself.
 */
export class HooksInForce {
  readonly #names = new WeakMap<FastifyInstance, Set<HookName>>()

  constructor(root: FastifyInstance) {
    const names = this.#names
    names.set(root, new Set())

    root.addHook('onRegister', (instance) => {
      names.set(instance, new Set(names.get(Object.getPrototypeOf(instance))))
    })

    const original = root.addHook as (this: FastifyInstance, name: string, fn: unknown) => FastifyInstance
    root.addHook = function (this: FastifyInstance, name: string, fn: unknown): FastifyInstance {
      if (isHookName(name)) names.get(this)?.add(name)
      return original.call(this, name, fn)
    } as FastifyInstance['addHook']
  }

  /** The hooks that run for a route of the instance, its own included. */
  of(instance: FastifyInstance, route: RouteOptions): HookName[] {
    return HOOKS.filter((name) => this.#names.get(instance)?.has(name) === true || isGiven(route[name]))
  }
}

function isHookName(name: string): name is HookName {
  return (HOOKS as readonly string[]).includes(name)
}

function isGiven(hook: unknown): boolean {
  return Array.isArray(hook) ? hook.length > 0 : hook !== undefined && hook !== null
}
