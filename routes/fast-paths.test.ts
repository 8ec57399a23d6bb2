import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appWith, refuses } from './testing/both-lanes.ts'

test('register gives fast routes its prefix, one inside the other', async () => {
  const ask = await appWith((app) => {
    app.register(
      async (outer) => {
        outer.fast.text('/a', 'outer')
        outer.register(async ({ fast }) => fast.text('/a', ({ path }) => path), { prefix: '/inner' })
      },
      { prefix: '/outer' }
    )
  })
  assert.equal((await ask('GET /outer/a')).body.toString(), 'outer')
  assert.equal((await ask('GET /outer/inner/a')).body.toString(), '/outer/inner/a')
  assert.equal((await ask('GET /a')).status, 404)
})

test('an empty path and "/" stand for the prefix itself', async () => {
  const ask = await appWith((app) => {
    app.register(async ({ fast }) => fast.text('', 'empty'), { prefix: '/empty' })
    app.register(async ({ fast }) => fast.text('/', 'slash'), { prefix: '/slash' })
  })
  assert.equal((await ask('GET /empty')).body.toString(), 'empty')
  assert.equal((await ask('GET /slash/')).body.toString(), 'slash')
  assert.equal((await ask('GET /slash')).body.toString(), 'slash')
})

test('takes every character of an exact path', async () => {
  const path = "/aZ09-._~!$&'()+,=@/b"
  const ask = await appWith(({ fast }) => fast.text(path, 'a'))
  assert.equal((await ask(`GET ${path}`)).body.toString(), 'a')
})

test('refuses a path that is not exact', async () => {
  for (const path of [
    'a',
    '*',
    '/:id',
    '/a/*',
    '/a%20b',
    '/a b',
    '/a?b',
    '/a#b',
    '/a;b',
    '/ä',
    '/a\n',
    '/[a]',
    '/"'
  ]) {
    await refuses(
      ({ fast }) => fast.text(path, 'a'),
      'SCZ_ERR_FAST_PATH',
      `Cannot make ${JSON.stringify(path)} a fast route: a fast route needs an exact path of letters, digits and ` +
        "-._~!$&'()+,=@/; use fastify.route() for the rest"
    )
    await refuses(({ fast }) => fast.route(path, () => 'a'), 'SCZ_ERR_FAST_PATH', null)
  }
})
