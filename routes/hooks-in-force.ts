import { getCallSites } from 'node:util'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Hooks that run before a response is sent, and so can change it. (`onResponse` comes too late for that.) */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend'] as const
type HookName = (typeof HOOKS)[number]

/**
 * Plugins that hook into every request but act only on upgrades and uploads (read in their source, 2026-11). They are known
 * by the file that calls `addHook`, so that a hook of the app itself is never mistaken for theirs.
 */
const INDIFFERENT_PLUGINS = /[/\\]node_modules[/\\]@fastify[/\\](?:websocket|multipart)[/\\]/

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

    const addHook = root.addHook as (this: FastifyInstance, name: string, hook: unknown) => FastifyInstance
    root.addHook = function (this: FastifyInstance, name: string, hook: unknown): FastifyInstance {
      const caller = getCallSites(2)[1]?.scriptName ?? ''
      if (isHookName(name) && !INDIFFERENT_PLUGINS.test(caller)) names.get(this)?.add(name)
      return addHook.call(this, name, hook)
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
