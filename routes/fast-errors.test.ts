import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { appWith, refuses } from './testing/both-lanes.ts'

test('refuses wrong options by the route and the name of the option', async () => {
  const wrong: readonly [build: (app: FastifyInstance) => void, name: string, reason: string][] = [
    [({ fast }) => fast.text('/a', { methods: [] }, 'a'), 'methods', 'name at least one'],
    [({ fast }) => fast.html('/a', { headers: { etag: 'a' } }, 'a'), 'headers', 'etag is set by the server'],
    [
      ({ fast }) => fast.route('/a', { headers: { Date: 'a' }, body: 'a' }),
      'headers',
      'Date is set by the server'
    ],
    [
      ({ fast }) => fast.text('/a', 'options' as never, 'a'),
      'options',
      'they come before the value, as an object'
    ],
    [
      ({ fast }) => fast.text('/a', null as never, 'a'),
      'options',
      'they come before the value, as an object'
    ],
    [
      ({ fast }) => fast.bytes('/a', { schema: {} } as never, Buffer.alloc(0)),
      'schema',
      'the options are methods, headers, cacheControl, cors, compress'
    ],
    [
      ({ fast }) => fast.json('/a', { response: {} } as never, 1),
      'response',
      'the options are methods, headers, cacheControl, cors, compress, schema'
    ]
  ]
  for (const [build, name, reason] of wrong) {
    await refuses(build, 'SCZ_ERR_FAST_OPTION', `Invalid option "${name}" of the fast route /a: ${reason}`)
  }
  await refuses(
    ({ fast }) => fast.json('/a', { schema: { $ref: 'nobody#' } }, 1),
    'SCZ_ERR_FAST_OPTION',
    null
  )
})

test('refuses a constant value that the route can not send, when it is added', async () => {
  const wrong: readonly [build: (app: FastifyInstance) => void, reason: string][] = [
    [({ fast }) => fast.text('/a', 1 as never), 'it needs a string, not 1'],
    [({ fast }) => fast.text('/a', {} as never), 'it needs a string, not object'],
    [({ fast }) => fast.html('/a', null as never), 'it needs a string, not null'],
    [({ fast }) => fast.bytes('/a', 'a' as never), 'it needs a Uint8Array, not string'],
    [({ fast }) => fast.bytes('/a', [1] as never), 'it needs a Uint8Array, not object'],
    [({ fast }) => fast.json('/a', undefined as never), 'undefined is no JSON value'],
    [({ fast }) => fast.json('/a', Symbol('a') as never), 'symbol is no JSON value'],
    [({ fast }) => fast.route('/a', 1 as never), 'it needs a string, bytes or a response, not 1'],
    [({ fast }) => fast.route('/a', null as never), 'it needs a string, bytes or a response, not null'],
    [({ fast }) => fast.route('/a', { body: 1 as never }), 'it needs a Uint8Array, not 1'],
    [({ fast }) => fast.route('/a', { status: 199 }), '199 is no status from 200 to 599'],
    [({ fast }) => fast.route('/a', { status: 600 }), '600 is no status from 200 to 599'],
    [({ fast }) => fast.route('/a', { status: 200.5 }), '200.5 is no status from 200 to 599'],
    [({ fast }) => fast.route('/a', { status: '200' as never }), 'string is no status from 200 to 599']
  ]
  for (const [build, reason] of wrong) {
    await refuses(build, 'SCZ_ERR_FAST_VALUE', `Cannot answer the fast route /a: ${reason}`)
  }
})

test('refuses a constant value that JSON can not hold, when it is added', async () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  for (const value of [1n, circular])
    await refuses(({ fast }) => fast.json('/a', value as object), 'SCZ_ERR_FAST_VALUE', null)
})

test('answers 500 where a handler gives what the route can not send', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/text', (() => 1) as never)
    fast.html('/html', (() => undefined) as never)
    fast.bytes('/bytes', (() => 'a') as never)
    fast.json('/json', () => undefined)
    fast.route('/route', (() => 1) as never)
    fast.route('/status', () => ({ status: 99 }))
  })
  for (const [path, reason] of [
    ['/text', 'it needs a string, not 1'],
    ['/html', 'it needs a string, not undefined'],
    ['/bytes', 'it needs a Uint8Array, not string'],
    ['/json', 'undefined is no JSON value'],
    ['/route', 'it needs a string, bytes or a response, not 1'],
    ['/status', '99 is no status from 200 to 599']
  ]) {
    const { status, body } = await ask(`GET ${path}`)
    assert.equal(status, 500)
    assert.deepEqual(JSON.parse(body.toString()), {
      statusCode: 500,
      code: 'SCZ_ERR_FAST_VALUE',
      error: 'Internal Server Error',
      message: `Cannot answer the fast route ${path}: ${reason}`
    })
  }
})

test('a line break in a handler’s header never reaches the wire', async () => {
  const ask = await appWith(({ fast }) => {
    fast.route('/value', ({ query }) => ({ headers: { 'x-a': String(query['a']) } }))
    fast.route('/name', ({ query }) => ({ headers: { [String(query['a'])]: 'x' } }))
    fast.route('/own', () => ({ headers: { 'Content-Length': '5' }, body: 'a' }))
  })
  for (const path of ['/value?a=b%0D%0Ac:%20d', '/value?a=%00', '/name?a=b%0D%0Ac', '/name?a=', '/own']) {
    const { status, headers } = await ask(`GET ${path}`)
    assert.equal(status, 500, path)
    assert.equal('x-a' in headers || 'c' in headers, false, path)
  }
})

test('refuses an async handler when the route is added', async () => {
  const message =
    'Cannot answer the fast route /a: its handler is asynchronous; make it synchronous, or use fastify.route()'
  for (const build of [
    ({ fast }: FastifyInstance) => fast.text('/a', (async () => 'a') as never),
    ({ fast }: FastifyInstance) => fast.json('/a', async () => 'a'),
    ({ fast }: FastifyInstance) => fast.route('/a', (async () => 'a') as never)
  ]) {
    await refuses(build, 'SCZ_ERR_FAST_ASYNC', message)
  }
})

test('answers 500 where a handler gives a promise', async () => {
  const ask = await appWith(({ fast }) => fast.json('/a', () => Promise.resolve(1)))
  const { status, body } = await ask('GET /a')
  assert.equal(status, 500)
  assert.equal((JSON.parse(body.toString()) as { code: string }).code, 'SCZ_ERR_FAST_ASYNC')
})

test('what a handler throws goes to the error handler of its instance', async () => {
  const ask = await appWith((app) => {
    app.register(async (plugin) => {
      plugin.setErrorHandler((error: Error, _request, reply) =>
        reply.code(418).send(`caught: ${error.message}`)
      )
      plugin.fast.text('/a', () => {
        throw new Error('thrown')
      })
    })
  })
  const { status, body } = await ask('GET /a')
  assert.deepEqual([status, body.toString()], [418, 'caught: thrown'])
})
