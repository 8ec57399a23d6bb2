import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { fastify } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { WireRequest } from './fast-request.ts'
import type { FastRequest } from './fast-request.ts'
import { mountFastRoutes } from './mount.ts'
import { readCalls } from './reading.ts'

type Headers = Readonly<Record<string, string>>

/** A response without its Date, and without Connection, which the server adds. */
interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

/** Asks both lanes; fails where they differ. Gives the answer of the main lane. */
type Ask = (request: string, headers?: Headers) => Promise<Response>

const PAGE = '<p>A page that is long enough to be compressed.</p>'.repeat(40)
const SERVER = { server: 'scherzo' }

test('text answers with a value, as it is', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', 'Grüße, 世界'))
  const { status, headers, body } = await ask('GET /a')
  assert.equal(status, 200)
  assert.equal(body.toString(), 'Grüße, 世界')
  assert.deepEqual(withoutTag(headers), {
    ...SERVER,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': '15'
  })
})

test('html answers with a value, as it is', async () => {
  const ask = await appWith(({ fast }) => fast.html('/a', '<p>a</p>'))
  const { headers, body } = await ask('GET /a')
  assert.equal(body.toString(), '<p>a</p>')
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
})

test('json answers with a value, rendered when the route is added', async () => {
  const value = { a: 1 }
  const ask = await appWith(({ fast }) => fast.json('/a', value))
  value.a = 2
  const { headers, body } = await ask('GET /a')
  assert.equal(body.toString(), '{"a":1}')
  assert.equal(headers['content-type'], 'application/json; charset=utf-8')
})

test('json takes every JSON value', async () => {
  for (const value of [null, true, 0, 'a', [], {}, [1, { b: null }], '']) {
    const ask = await appWith(({ fast }) => {
      fast.json('/value', value)
      fast.json('/handler', () => value)
    })
    assert.equal((await ask('GET /value')).body.toString(), JSON.stringify(value))
    assert.equal((await ask('GET /handler')).body.toString(), JSON.stringify(value))
  }
})

test('bytes answers with a value, byte for byte', async () => {
  const value = Uint8Array.from({ length: 256 }, (_, index) => index)
  const ask = await appWith(({ fast }) => fast.bytes('/a', value))
  const { headers, body } = await ask('GET /a')
  assert.deepEqual(body, Buffer.from(value))
  assert.equal(headers['content-type'], 'application/octet-stream')
})

test('bytes keeps the value that it was given, whatever becomes of the buffer', async () => {
  const value = Buffer.from('value')
  const ask = await appWith(({ fast }) => fast.bytes('/a', value))
  value.fill('x')
  assert.equal((await ask('GET /a')).body.toString(), 'value')
})

test('route answers with a string, bytes or a whole response', async () => {
  const ask = await appWith(({ fast }) => {
    fast.route('/string', 'string')
    fast.route('/bytes', Buffer.from('bytes'))
    fast.route('/response', { status: 404, headers: { 'X-A': 'b' }, body: 'response' })
    fast.route('/empty', {})
  })
  assert.equal((await ask('GET /string')).body.toString(), 'string')
  assert.equal((await ask('GET /bytes')).body.toString(), 'bytes')
  assert.deepEqual(await ask('GET /response'), {
    status: 404,
    headers: {
      ...SERVER,
      'x-a': 'b',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '8'
    },
    body: Buffer.from('response')
  })
  const empty = await ask('GET /empty')
  assert.deepEqual([empty.status, empty.body.length, empty.headers['content-length']], [200, 0, '0'])
})

test('every builder takes a handler, which runs once for every request, and has no ETag', async () => {
  let calls = 0
  // Both lanes are asked, one after the other.
  const count = (): number => Math.ceil(++calls / 2)
  const ask = await appWith(({ fast }) => {
    fast.text('/text', () => `text ${count()}`)
    fast.html('/html', () => `html ${count()}`)
    fast.json('/json', () => `json ${count()}`)
    fast.bytes('/bytes', () => Buffer.from(`bytes ${count()}`))
    fast.route('/route', () => `route ${count()}`)
  })
  for (const name of ['text', 'html', 'json', 'bytes', 'route']) {
    calls = 0
    for (const number of [1, 2, 3]) {
      const { headers, body } = await ask(`GET /${name}`)
      assert.equal(body.toString().replaceAll('"', ''), `${name} ${number}`)
      assert.equal('etag' in headers, false)
    }
    assert.equal(calls, 6)
  }
})

test('every builder takes options before a value and before a handler', async () => {
  const options = { headers: { 'x-a': 'b' }, cacheControl: 'no-store' }
  const ask = await appWith(({ fast }) => {
    fast.text('/text', options, 'a')
    fast.html('/html', options, 'a')
    fast.json('/json', options, 'a')
    fast.bytes('/bytes', options, Buffer.from('a'))
    fast.route('/route', options, 'a')
    fast.text('/text-handler', options, () => 'a')
    fast.html('/html-handler', options, () => 'a')
    fast.json('/json-handler', options, () => 'a')
    fast.bytes('/bytes-handler', options, () => Buffer.from('a'))
    fast.route('/route-handler', options, () => 'a')
  })
  for (const name of ['text', 'html', 'json', 'bytes', 'route']) {
    for (const path of [`/${name}`, `/${name}-handler`]) {
      const { headers } = await ask(`GET ${path}`)
      assert.deepEqual([headers['x-a'], headers['cache-control']], ['b', 'no-store'], path)
    }
  }
})

test('a handler is given the method, path, query and headers of the request', async () => {
  const ask = await appWith(({ fast }) =>
    fast.json('/a', (request: FastRequest) => {
      const { method, path, query } = request
      return [method, path, query, request.header('X-A'), typeof request.header('x-b')]
    })
  )
  const { body } = await ask('GET /a?b=c&b=d&e=%C3%A4', { 'x-a': 'value' })
  assert.equal(body.toString(), '["GET","/a",{"b":["c","d"],"e":"ä"},"value","undefined"]')
})

test('a handler of route decides status, headers and body', async () => {
  const ask = await appWith(({ fast }) =>
    fast.route('/a', { headers: { 'x-a': 'route', 'x-b': 'route' }, methods: ['GET'] }, ({ query }) => ({
      status: Number(query['status']),
      headers: { 'X-A': 'handler', 'set-cookie': 'c=d', 'Content-Type': 'text/css' },
      body: query['bytes'] === undefined ? 'text' : Buffer.from([0xff, 0x00])
    }))
  )
  const { status, headers, body } = await ask('GET /a?status=418')
  assert.equal(status, 418)
  assert.equal(body.toString(), 'text')
  assert.deepEqual(headers, {
    ...SERVER,
    'x-a': 'handler',
    'x-b': 'route',
    'set-cookie': 'c=d',
    'content-type': 'text/css',
    'content-length': '4'
  })
  assert.deepEqual((await ask('GET /a?status=200&bytes')).body, Buffer.from([0xff, 0x00]))
  for (const status of [204, 304]) {
    const response = await ask(`GET /a?status=${status}`)
    assert.deepEqual([response.status, response.body.length], [status, 0])
    assert.equal('content-length' in response.headers, false)
  }
})

test('both lanes give a handler’s content type as it is, with a charset or without', async () => {
  for (const type of [
    'application/json; charset=utf-8',
    'text/css',
    'image/svg+xml',
    'application/json',
    'application/problem+json'
  ]) {
    const ask = await appWith(({ fast }) => {
      fast.route('/value', { headers: { 'content-type': type } }, 'null')
      fast.route('/handler', { headers: { 'content-type': type } }, () => 'null')
      fast.route('/response', () => ({ headers: { 'content-type': type }, body: 'null' }))
    })
    for (const path of ['/value', '/response', '/handler'])
      assert.equal((await ask(`GET ${path}`)).headers['content-type'], type, path)
  }
})

test('long bodies are the same in both lanes', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/value', { compress: false }, 'ä'.repeat(100_000))
    fast.text('/handler', () => 'a'.repeat(100_000))
  })
  assert.equal((await ask('GET /value')).body.length, 200_000)
  assert.equal((await ask('GET /handler')).body.length, 100_000)
})

test('HEAD has the headers of GET and no body', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/value', 'value')
    fast.html('/page', PAGE)
    fast.json('/handler', () => ({ a: 1 }))
  })
  for (const path of ['/value', '/page', '/handler']) {
    const get = await ask(`GET ${path}`, { 'accept-encoding': 'gzip' })
    const head = await ask(`HEAD ${path}`, { 'accept-encoding': 'gzip' })
    assert.deepEqual(head, { ...get, body: Buffer.alloc(0) }, path)
    assert.ok(Number(head.headers['content-length']) > 0)
  }
})

test('a constant value has a strong ETag, a handler’s has none', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/a', 'a')
    fast.text('/also-a', 'a')
    fast.text('/b', 'b')
    fast.text('/handler', () => 'a')
  })
  const tagOf = async (path: string): Promise<unknown> => (await ask(`GET ${path}`)).headers['etag']
  assert.match(String(await tagOf('/a')), /^"[\w-]+"$/)
  assert.equal(await tagOf('/a'), await tagOf('/also-a'))
  assert.notEqual(await tagOf('/a'), await tagOf('/b'))
  assert.equal(await tagOf('/handler'), undefined)
})

test('If-None-Match with the ETag gets 304 with the headers that a cache needs, and no body', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', { cacheControl: 'max-age=1' }, 'a'))
  const { etag } = (await ask('GET /a')).headers
  for (const ifNoneMatch of [String(etag), `W/${String(etag)}`, `"other", ${String(etag)}`, '*']) {
    for (const method of ['GET', 'HEAD']) {
      assert.deepEqual(await ask(`${method} /a`, { 'if-none-match': ifNoneMatch }), {
        status: 304,
        headers: { ...SERVER, 'cache-control': 'max-age=1', etag },
        body: Buffer.alloc(0)
      })
    }
  }
  for (const ifNoneMatch of ['"other"', '', String(etag).slice(1, -1)]) {
    assert.equal((await ask('GET /a', { 'if-none-match': ifNoneMatch })).status, 200)
  }
})

test('only an answer of status 200 has an ETag and can become a 304', async () => {
  const ask = await appWith(({ fast }) => fast.route('/a', { status: 404, body: 'a' }))
  const { status, headers } = await ask('GET /a', { 'if-none-match': '*' })
  assert.equal(status, 404)
  assert.equal('etag' in headers, false)
})

test('If-None-Match makes a 304 of GET and HEAD only', async () => {
  const ask = await appWith(({ fast }) => fast.text('/a', { methods: ['GET', 'POST'] }, 'a'))
  const { status } = await ask('POST /a', { 'if-none-match': '*' })
  assert.notEqual(status, 304)
})

test('a long constant text is held in each coding, and negotiated', async () => {
  const ask = await appWith(({ fast }) => fast.html('/a', PAGE))
  const plain = await ask('GET /a')
  assert.equal(plain.body.toString(), PAGE)
  assert.equal(plain.headers['vary'], 'Accept-Encoding')
  assert.equal('content-encoding' in plain.headers, false)

  const decompress = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync }
  const tags = new Set([plain.headers['etag']])
  for (const [coding, decode] of Object.entries(decompress)) {
    const { headers, body } = await ask('GET /a', { 'accept-encoding': coding })
    assert.equal(headers['content-encoding'], coding)
    assert.equal(headers['vary'], 'Accept-Encoding')
    assert.equal(headers['content-length'], String(body.length))
    assert.ok(body.length < PAGE.length)
    assert.equal(decode(body).toString(), PAGE)
    tags.add(headers['etag'])

    const again = await ask('GET /a', { 'accept-encoding': coding, 'if-none-match': String(headers['etag']) })
    assert.deepEqual([again.status, again.headers['vary']], [304, 'Accept-Encoding'])
    const other = await ask('GET /a', {
      'accept-encoding': coding,
      'if-none-match': String(plain.headers['etag'])
    })
    assert.equal(other.status, 200)
  }
  assert.equal(tags.size, 4)
  assert.equal((await ask('GET /a', { 'accept-encoding': 'deflate' })).body.toString(), PAGE)
})

test('compresses nothing that is short, is no text, is made by a handler, or should not be', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/short', 'a'.repeat(1023))
    fast.text('/off', { compress: false }, PAGE)
    fast.bytes('/bytes', Buffer.from(PAGE))
    fast.bytes('/image', { headers: { 'content-type': 'image/png' } }, Buffer.from(PAGE))
    fast.text('/handler', { compress: true }, () => PAGE)
  })
  for (const path of ['/short', '/off', '/bytes', '/image', '/handler']) {
    const { headers } = await ask(`GET ${path}`, { 'accept-encoding': 'br, gzip, zstd' })
    assert.deepEqual([headers['content-encoding'], headers['vary']], [undefined, undefined], path)
  }
})

test('compresses texts of 1 KiB, texts by their content type, and what the app asks for', async () => {
  const ask = await appWith(({ fast }) => {
    fast.text('/text', 'a'.repeat(1024))
    fast.json('/json', { page: PAGE })
    fast.bytes('/asked', { compress: true }, Buffer.from(PAGE))
    fast.bytes('/css', { headers: { 'content-type': 'text/css' } }, Buffer.from(PAGE))
    fast.route('/svg', { headers: { 'content-type': 'image/svg+xml' }, body: PAGE })
    fast.route('/problem', {
      status: 404,
      headers: { 'content-type': 'application/problem+json' },
      body: PAGE
    })
  })
  for (const path of ['/text', '/json', '/asked', '/css', '/svg', '/problem']) {
    const { headers } = await ask(`GET ${path}`, { 'accept-encoding': 'gzip' })
    assert.equal(headers['content-encoding'], 'gzip', path)
  }
})

test('offers no coding that does not make the value shorter', async () => {
  let state = 1
  const noise = Buffer.from(
    Array.from({ length: 2000 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state >>> 24
    })
  )
  const ask = await appWith(({ fast }) => fast.bytes('/noise', { compress: true }, noise))
  const { headers, body } = await ask('GET /noise', { 'accept-encoding': '*' })
  assert.deepEqual([headers['content-encoding'], headers['vary']], [undefined, undefined])
  assert.deepEqual(body, noise)
})

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

test('other methods run the same handler, on the main lane', async () => {
  const ask = await appWith(({ fast }) =>
    fast.text('/a', { methods: ['GET', 'POST', 'delete'] }, ({ method }) => method)
  )
  for (const method of ['GET', 'POST', 'DELETE'])
    assert.equal((await ask(`${method} /a`)).body.toString(), method)
  assert.equal((await ask('PUT /a')).status, 404)
})

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

test('both lanes agree for any options, value and request', async () => {
  const options = fc.record(
    {
      cacheControl: fc.constantFrom('no-store', 'max-age=1'),
      compress: fc.boolean(),
      cors: fc.constantFrom(true, { origin: 'https://a.example', credentials: true }, { maxAge: 1 }),
      headers: fc.constantFrom({ vary: 'Cookie' }, { server: 'other' }, { 'content-type': 'text/css' })
    },
    { requiredKeys: [] }
  )
  const value = fc.constantFrom('', 'a', 'ä', PAGE, 'ä'.repeat(3000))
  const headers = fc.record(
    {
      origin: fc.constantFrom('https://a.example', 'https://b.example'),
      'accept-encoding': fc.constantFrom('gzip', 'br;q=0.5, zstd', '*', 'identity'),
      'if-none-match': fc.constantFrom('*', '"a"'),
      'access-control-request-headers': fc.constantFrom('x-a', 'x a:')
    },
    { requiredKeys: [] }
  )
  const method = fc.constantFrom('GET', 'HEAD', 'OPTIONS')
  await fc.assert(
    fc.asyncProperty(
      options,
      value,
      fc.array(fc.tuple(method, headers), { maxLength: 5 }),
      async (o, v, asked) => {
        const ask = await appWith(({ fast }) => {
          fast.text('/value', o, v)
          fast.text('/handler', o, () => v)
        })
        for (const [method, headers] of asked) {
          await ask(`${method} /value`, headers as Headers)
          await ask(`${method} /handler`, headers as Headers)
        }
      }
    ),
    { numRuns: 50 }
  )
})

/** Makes an app and the way to ask it. */
async function appWith(build: (app: FastifyInstance) => void): Promise<Ask> {
  const app = fastify()
  const { table } = mountFastRoutes(app, null)
  app.register(async (instance) => build(instance))
  await app.ready()

  return async (request, headers = {}) => {
    const [method = '', url = ''] = request.split(' ')
    const {
      statusCode,
      headers: given,
      rawPayload
    } = await app.inject({ method: method as 'GET', url, headers })
    const { date, connection, ...received } = given
    assert.equal(typeof date, 'string')
    assert.notEqual(connection, 'close')
    const main = { status: statusCode, headers: received, body: rawPayload }

    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const bytes = Buffer.from(
      `${method} ${url} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}\r\n`,
      'latin1'
    )
    const { calls } = readCalls(bytes, table)
    if (calls.length === 1) {
      const fast = fastResponse(() => calls[0]!.route.answer(new WireRequest(bytes, calls[0]!)), method)
      if (fast !== null) {
        assert.deepEqual(fast, main, `the lanes differ for ${request}`)
      } else {
        assert.ok(main.status >= 400, `only the fast lane fails for ${request}`)
      }
    }
    return main
  }
}

/** What the fast lane writes, read back from its text; null where it would leave the request to the main lane. */
function fastResponse(
  answer: () => { start: string; text: string | null; bytes: Buffer | null },
  method: string
): Response | null {
  let made: ReturnType<typeof answer>
  try {
    made = answer()
  } catch {
    return null
  }
  const [first = '', ...lines] = made.start.slice(0, -2).split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })
  const body = made.text === null ? made.bytes! : Buffer.from(made.text, 'latin1')
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers) as Headers,
    body: method === 'HEAD' ? Buffer.alloc(0) : body
  }
}

function withoutTag({ etag, ...others }: Response['headers']): Response['headers'] {
  assert.equal(typeof etag, 'string')
  return others
}

/** The app must not start, for the reason given. */
async function refuses(
  build: (app: FastifyInstance) => void,
  code: string,
  message: string | null
): Promise<void> {
  await assert.rejects(appWith(build), message === null ? { code } : { code, message })
}
