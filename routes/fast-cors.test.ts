import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PAGE, SERVER, appWith } from './testing/both-lanes.ts'
import type { Headers } from './testing/both-lanes.ts'

test('CORS for every origin is one header, with or without an Origin', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/value', { cors: true }, 'a')
    fast.text('/handler', { cors: true }, () => 'a')
  })
  for (const path of ['/value', '/handler']) {
    for (const headers of [{}, { origin: 'https://a.example' }]) {
      const response = await ask(`GET ${path}`, headers)
      assert.equal(response.headers['access-control-allow-origin'], '*')
      assert.equal(response.headers['vary'], undefined)
    }
  }
})

test('CORS for named origins answers each with its own header, and tells caches so', async () => {
  const cors = {
    origin: ['https://a.example', 'https://b.example'],
    credentials: true,
    exposedHeaders: ['X-A']
  }
  const ask = await appWith(({ fast }) => {
    fast.text('/value', { cors }, 'a')
    fast.text('/handler', { cors }, () => 'a')
    fast.html('/page', { cors, headers: { vary: 'Cookie' } }, PAGE)
  })
  for (const path of ['/value', '/handler']) {
    for (const origin of cors.origin) {
      const { headers } = await ask(`GET ${path}`, { origin })
      assert.equal(headers['access-control-allow-origin'], origin)
      assert.equal(headers['access-control-allow-credentials'], 'true')
      assert.equal(headers['access-control-expose-headers'], 'X-A')
      assert.equal(headers['vary'], 'Origin')
    }
    for (const headers of [{}, { origin: 'https://c.example' }]) {
      const response = await ask(`GET ${path}`, headers as Headers)
      assert.deepEqual(
        Object.keys(response.headers).filter((name) => name.startsWith('access-control')),
        []
      )
      assert.equal(response.headers['vary'], 'Origin')
    }
  }
  const page = await ask('GET /page', { origin: 'https://a.example', 'accept-encoding': 'br' })
  assert.equal(page.headers['vary'], 'Cookie, Accept-Encoding, Origin')
})

test('a 304 has the CORS headers too', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', { cors: { origin: 'https://a.example' } }, 'a'))
  const { status, headers } = await ask('GET /a', { origin: 'https://a.example', 'if-none-match': '*' })
  assert.equal(status, 304)
  assert.deepEqual([headers['access-control-allow-origin'], headers['vary']], ['https://a.example', 'Origin'])
})

test('a Vary of the handler comes beside that of CORS, not in its place', async () => {
  const ask = await appWith(({ fast }) =>
    fast.route('/a', { cors: { origin: 'https://a.example' } }, () => ({
      headers: { vary: 'Accept-Language' },
      body: 'a'
    }))
  )
  const { headers } = await ask('GET /a', { origin: 'https://a.example' })
  assert.match(String(headers['vary']), /Accept-Language/)
  assert.match(String(headers['vary']), /Origin/)
})

test('a preflight is answered by the CORS rules, and no handler runs', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/value', { cors: { maxAge: 60 } }, 'a')
    fast.text('/handler', { cors: { maxAge: 60 } }, () => assert.fail('it ran'))
  })
  for (const path of ['/value', '/handler']) {
    assert.deepEqual(
      await ask(`OPTIONS ${path}`, {
        origin: 'https://a.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'x-a'
      }),
      {
        status: 204,
        headers: {
          ...SERVER,
          allow: 'GET, HEAD, OPTIONS',
          'access-control-allow-origin': '*',
          'access-control-allow-methods': 'GET, HEAD, OPTIONS',
          'access-control-allow-headers': 'x-a',
          'access-control-max-age': '60',
          vary: 'Access-Control-Request-Headers'
        },
        body: Buffer.alloc(0)
      }
    )
  }
})

test('a preflight of an origin that is not allowed learns nothing', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', { cors: { origin: 'https://a.example' } }, 'a'))
  const { status, headers } = await ask('OPTIONS /a', { origin: 'https://b.example' })
  assert.equal(status, 204)
  assert.deepEqual(headers, {
    ...SERVER,
    allow: 'GET, HEAD, OPTIONS',
    vary: 'Origin, Access-Control-Request-Headers'
  })
})

test('without CORS there is no answer to OPTIONS', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', 'a'))
  assert.equal((await ask('OPTIONS /a')).status, 404)
})
