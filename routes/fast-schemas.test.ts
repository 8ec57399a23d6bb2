import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appWith, refuses } from './testing/both-lanes.ts'

test('a schema serialises a handler’s value, and only what it names', async () => {
  const schema = { type: 'object', properties: { a: { type: 'integer' } } }
  const ask = await appWith(({ fast }) => {
    fast.json('/value', { schema }, { a: 1, secret: 2 })
    fast.json('/handler', { schema }, () => ({ a: 1, secret: 2 }))
  })
  assert.equal((await ask('GET /value')).body.toString(), '{"a":1}')
  assert.equal((await ask('GET /handler')).body.toString(), '{"a":1}')
})

test('a schema may be a Fastify route schema with a response for 200', async () => {
  const object = { type: 'object', properties: { a: { type: 'integer' } } }
  const other = { type: 'object', properties: { b: { type: 'integer' } } }
  const ask = await appWith(({ fast }) => {
    const value = { a: 1, b: 2 }
    fast.json('/200', { schema: { response: { 200: object, '2xx': other } } }, () => value)
    fast.json('/2xx', { schema: { response: { '2xx': object, default: other } } }, () => value)
    fast.json('/2XX', { schema: { response: { '2XX': object } } }, () => value)
    fast.json('/default', { schema: { response: { 404: other, default: object } } }, () => value)
  })
  for (const path of ['/200', '/2xx', '/2XX', '/default'])
    assert.equal((await ask(`GET ${path}`)).body.toString(), '{"a":1}', path)
})

test('a schema may refer to shared schemas of its instance and those around it', async () => {
  const ask = await appWith((app) => {
    app.addSchema({ $id: 'outer', type: 'object', properties: { a: { type: 'integer' } } })
    app.register(async (inner) => {
      inner.addSchema({ $id: 'inner', type: 'object', properties: { b: { $ref: 'outer#' } } })
      inner.fast.json('/a', { schema: { $ref: 'inner#' } }, () => ({ b: { a: 1, c: 2 }, c: 3 }))
    })
  })
  assert.equal((await ask('GET /a')).body.toString(), '{"b":{"a":1}}')
})

test('refuses a route schema that does more than describe the response, or does not, in one sentence', async () => {
  for (const [schema, reason] of [
    [{ body: {}, response: { 200: {} } }, 'a fast route does not validate "body"'],
    [{ querystring: {}, response: { 200: {} } }, 'a fast route does not validate "querystring"'],
    [{ response: { 404: {} } }, 'it has no response schema for status 200']
  ] as const) {
    await refuses(
      ({ fast }) => fast.json('/a', { schema }, 1),
      'SCZ_ERR_FAST_OPTION',
      `Invalid option "schema" of the fast route /a: ${reason}`
    )
  }
})
