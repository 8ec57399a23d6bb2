import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { fastify } from 'fastify'
import type { FastifyInstance, FastifyServerOptions, RouteOptions } from 'fastify'
import { WireRequest } from './fast-request.ts'
import { mountFastRoutes } from './mount.ts'
import type { Mounted, RouteRow } from './mount.ts'
import { readCalls } from './reading.ts'

interface App extends Mounted {
  readonly fastify: FastifyInstance
}

test('lists every route once, with its methods and lane', async () => {
  const { rows } = await appWith((app) => {
    app.fast.text('/fast', 'a')
    app.get('/main', async () => 'a')
    app.post('/main', async () => 'a')
    app.fast.text('/cors', { cors: true }, 'a')
  })
  assert.deepEqual(rows, [
    { methods: ['GET', 'HEAD'], path: '/fast', lane: 'fast', note: '' },
    { methods: ['GET', 'HEAD', 'POST'], path: '/main', lane: 'main', note: '' },
    { methods: ['GET', 'HEAD', 'OPTIONS'], path: '/cors', lane: 'fast', note: '' }
  ])
})

test('gives the fast lane GET, HEAD and preflights, and the main lane the other methods', async () => {
  const { rows, table } = await appWith(({ fast }) => {
    fast.text('/a', { methods: ['GET', 'POST'] }, 'a')
    fast.text('/post', { methods: ['POST'] }, 'a')
    fast.text('/options', { methods: ['OPTIONS'] }, 'a')
    fast.text('/head', { methods: ['HEAD'] }, 'a')
  })
  assert.deepEqual(rows, [
    { methods: ['GET', 'HEAD'], path: '/a', lane: 'fast', note: '' },
    { methods: ['POST'], path: '/a', lane: 'main', note: '' },
    { methods: ['POST'], path: '/post', lane: 'main', note: '' },
    { methods: ['OPTIONS'], path: '/options', lane: 'main', note: '' },
    { methods: ['HEAD'], path: '/head', lane: 'fast', note: '' }
  ])
  assert.deepEqual(
    ['GET /a', 'HEAD /a', 'POST /a', 'OPTIONS /options', 'HEAD /head', 'GET /head'].filter((start) =>
      table.find(start)
    ),
    ['GET /a', 'HEAD /a', 'HEAD /head']
  )
})

test('fills the table when the app is ready, not before', async () => {
  const app = fastify()
  const { table, rows } = mountFastRoutes(app, null)
  app.fast.text('/a', 'a')
  assert.deepEqual([table.size, rows.length], [0, 0])
  await app.ready()
  assert.deepEqual([table.size, rows.length], [2, 1])
})

test('puts fast routes under the prefix of their plugin', async () => {
  const { rows, table } = await appWith((app) => {
    app.register(
      async (outer) => {
        outer.register(async ({ fast }) => fast.text('/a', 'a'), { prefix: '/inner' })
      },
      { prefix: '/outer' }
    )
  })
  assert.deepEqual(
    rows.map(({ path, lane }) => [path, lane]),
    [['/outer/inner/a', 'fast']]
  )
  assert.notEqual(table.find('GET /outer/inner/a'), null)
})

test('keeps every fast route on the main lane where the lane is off, and says why', async () => {
  const { rows, table, fastify } = await appWith(
    ({ fast }) => fast.text('/a', 'a'),
    {},
    'the fast lane is off'
  )
  assert.deepEqual(rows, [
    { methods: ['GET', 'HEAD'], path: '/a', lane: 'main', note: 'the fast lane is off' }
  ])
  assert.equal(table.size, 0)
  assert.equal((await fastify.inject('/a')).body, 'a')
})

test('keeps a route with hooks on the main lane, and names them', async () => {
  const { rows, table, fastify } = await appWith((app) => {
    app.fast.text('/free', 'a')
    app.register(async (plugin) => {
      plugin.fast.text('/guarded', 'a')
      plugin.addHook('preHandler', async () => {})
      plugin.addHook('onRequest', async (_request, reply) => reply.code(401).send('no'))
    })
  })
  assert.deepEqual(rows, [
    row('/free', 'fast', ''),
    row('/guarded', 'main', 'hooks run for it: onRequest, preHandler')
  ])
  assert.equal(table.find('GET /guarded'), null)
  assert.equal((await fastify.inject('/guarded')).statusCode, 401)
})

test('keeps a route on the main lane to whose parent a hook is added after it was registered', async () => {
  const app = await appWith(async (app) => {
    await app.register(async ({ fast }) => fast.text('/a', 'secret'))
    app.addHook('onRequest', async (_request, reply) => reply.code(401).send('no'))
  })
  assert.equal((await app.fastify.inject('/a')).statusCode, 401)
  assert.deepEqual(app.rows, [row('/a', 'main', 'hooks run for it: onRequest')])
})

test('keeps a route to which an onRoute hook adds hooks on the main lane', async () => {
  const { rows } = await appWith((app) => {
    app.addHook('onRoute', (route) => {
      if (route.url === '/limited') route.preHandler = async () => {}
    })
    app.fast.text('/limited', 'a')
    app.fast.text('/free', 'a')
  })
  assert.deepEqual(rows, [row('/limited', 'main', 'hooks run for it: preHandler'), row('/free', 'fast', '')])
})

test('answers from the fast lane what Fastify answers where an onRoute hook replaces the handler', async () => {
  const app = await appWith((app) => {
    app.addHook('onRoute', (route) => {
      route.handler = async () => 'replaced'
    })
    app.fast.text('/a', 'a')
  })
  await bothAgree(app, '/a')
})

test('keeps a route on the main lane where another of its path has constraints', async () => {
  const app = await appWith((app) => {
    app.fast.text('/a', 'fast')
    app.get('/a', { constraints: { host: 'a.example' } }, async () => 'constrained')
    app.fast.text('/b', 'fast')
  })
  assert.deepEqual(
    app.rows.filter(({ methods }) => methods.includes('GET')),
    [
      row('/a', 'main', 'another route of this path has constraints'),
      row('/a', 'main', ''),
      row('/b', 'fast', '')
    ]
  )
  await bothAgree(app, '/a', { host: 'a.example' })
})

test('keeps a route with a parameter in its prefix on the main lane', async () => {
  const app = await appWith((app) => {
    app.register(async ({ fast }) => fast.text('/a', ({ path }) => path), { prefix: '/users/:id' })
    app.register(async ({ fast }) => fast.text('/a', 'a'), { prefix: '/b%20c' })
  })
  assert.deepEqual(app.rows, [
    row('/users/:id/a', 'main', 'its prefix is not exact'),
    row('/b%20c/a', 'main', 'its prefix is not exact')
  ])
  assert.equal((await app.fastify.inject('/users/1/a')).body, '/users/1/a')
  await bothAgree(app, '/users/:id/a')
})

test('answers from the fast lane what Fastify answers while another route has a version', async () => {
  const app = await appWith((app) => {
    app.fast.text('/a', 'fast')
    app.get('/b', { constraints: { version: '1.0.0' } }, async () => 'versioned')
  })
  await bothAgree(app, '/a')
  await bothAgree(app, '/a', { 'accept-version': '1.x' })
})

test('answers from the fast lane what Fastify answers while a host is constrained on another path', async () => {
  const app = await appWith((app) => {
    app.fast.text('/a', 'fast')
    app.get('/b', { constraints: { host: 'a.example' } }, async () => 'constrained')
    app.get('/:any', { constraints: { host: 'a.example' } }, async () => 'constrained')
  })
  await bothAgree(app, '/a', { host: 'a.example' })
})

test('answers from the fast lane what Fastify answers where a constrained path differs in case only', async () => {
  const app = await appWith(
    (app) => {
      app.fast.text('/a', 'fast')
      app.get('/A', { constraints: { host: 'a.example' } }, async () => 'constrained')
    },
    { routerOptions: { caseSensitive: false } }
  )
  await bothAgree(app, '/a', { host: 'a.example' })
})

test('answers from the fast lane what Fastify answers where an onRoute hook adds validation', async () => {
  const app = await appWith((app) => {
    app.addHook('onRoute', (route: RouteOptions) => {
      route.schema = { querystring: { type: 'object', required: ['key'] } }
    })
    app.fast.text('/a', 'fast')
  })
  await bothAgree(app, '/a?key=1')
  await bothAgree(app, '/a')
})

test('a path that two routes want stops the start', async () => {
  await assert.rejects(
    appWith((app) => {
      app.fast.text('/a', 'fast')
      app.get('/a', async () => 'main')
    }),
    { code: 'FST_ERR_DUPLICATED_ROUTE' }
  )
})

test('an error of the fast lane is thrown again by the route, once, without running the handler', async () => {
  let runs = 0
  const { fastify, faults } = await appWith(({ fast }) => fast.text('/a', () => `run ${++runs}`))
  fastify.server.once('connection', (socket: Socket) => {
    faults.set(socket, { error: new Error('thrown on the fast lane') })
  })
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((fastify.server.address() as AddressInfo).port, '127.0.0.1')
  try {
    const request = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'
    socket.write(request)
    const [failed] = (await once(socket, 'data')) as [Buffer]
    assert.match(failed.toString(), /^HTTP\/1\.1 500 .*thrown on the fast lane/s)
    assert.equal(runs, 0)

    socket.write(request)
    const [answered] = (await once(socket, 'data')) as [Buffer]
    assert.match(answered.toString(), /^HTTP\/1\.1 200 .*run 1$/s)
  } finally {
    socket.destroy()
    await fastify.close()
  }
})

test('two apps in one thread have tables of their own', async () => {
  const first = await appWith(({ fast }) => fast.text('/a', 'first'))
  const second = await appWith(({ fast }) => fast.text('/b', 'second'))
  assert.equal(first.table.find('GET /b'), null)
  assert.equal(second.table.find('GET /a'), null)
})

async function appWith(
  build: (app: FastifyInstance) => void | Promise<void>,
  options: FastifyServerOptions = {},
  laneOff: string | null = null
): Promise<App> {
  const app = fastify(options)
  const mounted = mountFastRoutes(app, laneOff)
  app.register(async (instance) => build(instance))
  await app.ready()
  return { fastify: app, ...mounted }
}

function row(path: string, lane: RouteRow['lane'], note: string): RouteRow {
  return { methods: ['GET', 'HEAD'], path, lane, note }
}

/** Where the fast lane answers a GET at all, it has to answer it as Fastify does. */
async function bothAgree(
  { fastify, table }: App,
  url: string,
  headers: Readonly<Record<string, string>> = {}
): Promise<void> {
  const { statusCode, body } = await fastify.inject({ url, headers })
  const lines = Object.entries({ host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`
  )
  const bytes = Buffer.from(`GET ${url} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const [call] = readCalls(bytes, table).calls
  if (call === undefined) return
  const answer = call.route.answer(new WireRequest(bytes, call))
  assert.deepEqual(
    [answer.head.status, String(answer.payload)],
    [statusCode, body],
    `the lanes differ for ${url}`
  )
}
