import assert from 'node:assert/strict'
import { test } from 'node:test'
import websocket from '@fastify/websocket'
import fc from 'fast-check'
import { fastify } from 'fastify'
import type { FastifyInstance, FastifyPluginAsync, RouteOptions } from 'fastify'
import { HooksInForce } from './hooks-in-force.ts'

const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend'] as const
type HookName = (typeof HOOKS)[number]

test('knows of no hook where there is none', async () => {
  assert.deepEqual(await hooksOf((app) => void app.get('/', ok)), { '/': [] })
})

test('knows each hook that can change a response', async () => {
  for (const name of HOOKS) {
    assert.deepEqual(await hooksOf((app) => void add(app, name).get('/', ok)), { '/': [name] })
  }
})

test('does not count the hooks that come too late to change a response, or are no part of a request', async () => {
  const hooks = await hooksOf((app) => {
    app.addHook('onRoute', () => {})
    app.addHook('onReady', async () => {})
    app.addHook('onClose', async () => {})
    app.addHook('onResponse', async () => {})
    app.get('/', ok)
  })
  assert.deepEqual(hooks, { '/': [] })
})

test('counts a hook for the routes before and behind it', async () => {
  const hooks = await hooksOf((app) => {
    app.get('/before', ok)
    add(app, 'onRequest')
    app.get('/behind', ok)
  })
  assert.deepEqual(hooks, { '/before': ['onRequest'], '/behind': ['onRequest'] })
})

test('keeps the hooks of a plugin to the plugin and its children', async () => {
  const hooks = await hooksOf((app) => {
    app.get('/outside', ok)
    app.register(async (plugin) => {
      add(plugin, 'onSend').get('/inside', ok)
      plugin.register(async (child) => void add(child, 'preHandler').get('/child', ok))
    })
    app.register(async (other) => void other.get('/other', ok))
  })
  assert.deepEqual(hooks, {
    '/outside': [],
    '/inside': ['onSend'],
    '/child': ['preHandler', 'onSend'],
    '/other': []
  })
})

test('gives a plugin the hooks of its parent', async () => {
  const hooks = await hooksOf((app) => {
    add(app, 'onRequest')
    app.register(async (plugin) => void add(plugin, 'onSend').get('/inside', ok))
  })
  assert.deepEqual(hooks, { '/inside': ['onRequest', 'onSend'] })
})

test('counts the hooks of a plugin without encapsulation for its parent', async () => {
  const hooks = await hooksOf((app) => {
    app.register(withoutEncapsulation(async (plugin) => void add(plugin, 'onRequest')))
    app.get('/outside', ok)
    app.register(async (plugin) => {
      plugin.register(withoutEncapsulation(async (child) => void add(child, 'onSend')))
      plugin.get('/inside', ok)
    })
  })
  assert.deepEqual(hooks, { '/outside': ['onRequest'], '/inside': ['onRequest', 'onSend'] })
})

test('counts a hook that a parent gets after its children: Fastify runs it for them too', async () => {
  const awaited = await hooksOf(async (app) => {
    await app.register(async (plugin) => {
      plugin.get('/inside', ok)
      plugin.register(async (child) => void child.get('/child', ok))
    })
    add(app, 'onRequest')
  })
  assert.deepEqual(awaited, { '/inside': ['onRequest'], '/child': ['onRequest'] })

  const shared = await hooksOf((app) => {
    app.register(async (plugin) => void plugin.get('/inside', ok))
    app.register(withoutEncapsulation(async (plugin) => void add(plugin, 'onRequest')))
  })
  assert.deepEqual(shared, { '/inside': ['onRequest'] })
})

test('counts the hooks of the route itself', async () => {
  const hooks = await hooksOf((app) => {
    app.get('/one', { preHandler: pass }, ok)
    app.get('/list', { onRequest: [pass], onSend: [] }, ok)
  })
  assert.deepEqual(hooks, { '/one': ['preHandler'], '/list': ['onRequest'] })
})

test('counts hooks that an onRoute hook adds to a route', async () => {
  const hooks = await hooksOf((app) => {
    app.addHook('onRoute', (route) => {
      if (route.url === '/limited') route.onRequest = [pass]
    })
    app.get('/limited', ok)
    app.get('/free', ok)
  })
  assert.deepEqual(hooks, { '/limited': ['onRequest'], '/free': [] })
})

test('counts a hook once, however often it was added, in the order in which they run', async () => {
  const hooks = await hooksOf((app) => {
    for (const name of HOOKS.toReversed()) add(add(app, name), name)
    app.get('/', { onRequest: pass }, ok)
  })
  assert.deepEqual(hooks, { '/': [...HOOKS] })
})

test('does not count the hooks with which @fastify/websocket marks its own routes, but the app’s own', async () => {
  const hooks = await hooksOf((app) => {
    app.register(websocket)
    app.get('/', ok)
    app.register(async (plugin) => void add(plugin, 'onRequest').get('/guarded', ok))
  })
  assert.deepEqual(hooks, { '/': [], '/guarded': ['onRequest'] })
})

test('tells two root instances apart', async () => {
  const first = fastify()
  const second = fastify()
  const firstHooks = new HooksInForce(first)
  const secondHooks = new HooksInForce(second)
  add(first, 'onRequest')
  assert.deepEqual(firstHooks.of(first, route()), ['onRequest'])
  assert.deepEqual(secondHooks.of(second, route()), [])
})

test('leaves addHook as it is: the hooks run, and it can be chained', async () => {
  const app = fastify()
  const hooks = new HooksInForce(app)
  let runs = 0
  const same = app.addHook('onRequest', (_request, _reply, done) => {
    runs++
    done()
  })
  assert.equal(same, app)
  app.get('/', ok)
  await app.inject('/')
  assert.equal(runs, 1)
  assert.deepEqual(hooks.of(app, route()), ['onRequest'])
})

interface Node {
  readonly isShared: boolean
  readonly before: readonly HookName[]
  readonly behind: readonly HookName[]
  readonly children: readonly Node[]
}

test('names exactly the hooks that Fastify runs, for any tree of plugins', async () => {
  const names = fc.array(fc.constantFrom(...HOOKS), { maxLength: 2 })
  const { node } = fc.letrec<{ node: Node }>((tie) => ({
    node: fc.record({
      isShared: fc.boolean(),
      before: names,
      behind: names,
      children: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('node'), { maxLength: 3 }))
    })
  }))
  await fc.assert(
    fc.asyncProperty(node, async (root) => {
      const app = fastify({ exposeHeadRoutes: false })
      const ran = new Set<HookName>()
      const known = watch(app)
      let count = 0
      const plant = (instance: FastifyInstance, { before, behind, children }: Node): void => {
        for (const name of before) add(instance, name, () => ran.add(name))
        instance.get(`/${count++}`, ok)
        for (const child of children) {
          const plugin: FastifyPluginAsync = async (instance) => plant(instance, child)
          instance.register(child.isShared ? withoutEncapsulation(plugin) : plugin)
        }
        for (const name of behind) add(instance, name, () => ran.add(name))
      }
      plant(app, root)
      await app.ready()

      for (const [url, hooks] of Object.entries(known())) {
        ran.clear()
        assert.equal((await app.inject(url)).statusCode, 200)
        assert.deepEqual(
          hooks,
          HOOKS.filter((name) => ran.has(name)),
          url
        )
      }
    }),
    { numRuns: 100 }
  )
})

/** The hooks in force for every route of an app, by its path. */
async function hooksOf(
  build: (app: FastifyInstance) => void | Promise<void>
): Promise<Record<string, HookName[]>> {
  const app = fastify({ exposeHeadRoutes: false })
  const known = watch(app)
  await build(app)
  await app.ready()
  return known()
}

function watch(app: FastifyInstance): () => Record<string, HookName[]> {
  const hooks = new HooksInForce(app)
  const routes: { readonly instance: FastifyInstance; readonly options: RouteOptions }[] = []
  app.addHook('onRoute', function (options) {
    routes.push({ instance: this, options })
  })
  return () =>
    Object.fromEntries(routes.map(({ instance, options }) => [options.url, hooks.of(instance, options)]))
}

function add(app: FastifyInstance, name: HookName, note: () => void = () => {}): FastifyInstance {
  const addHook = app.addHook.bind(app) as (name: HookName, hook: () => Promise<void>) => FastifyInstance
  return addHook(name, async () => {
    note()
  })
}

/** What the package fastify-plugin does. */
function withoutEncapsulation(plugin: FastifyPluginAsync): FastifyPluginAsync {
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

function route(): RouteOptions {
  return { method: 'GET', url: '/', handler: ok }
}

async function ok(): Promise<string> {
  return 'ok'
}

async function pass(): Promise<void> {}
