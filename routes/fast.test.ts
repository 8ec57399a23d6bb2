import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastRequest } from './fast-request.ts'
import { PAGE, SERVER, appWith } from './testing/both-lanes.ts'
import type { Response } from './testing/both-lanes.ts'

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

test('other methods run the same handler, on the main lane', async () => {
  const ask = await appWith(({ fast }) =>
    fast.text('/a', { methods: ['GET', 'POST', 'delete'] }, ({ method }) => method)
  )
  for (const method of ['GET', 'POST', 'DELETE'])
    assert.equal((await ask(`${method} /a`)).body.toString(), method)
  assert.equal((await ask('PUT /a')).status, 404)
})

function withoutTag({ etag, ...others }: Response['headers']): Response['headers'] {
  assert.equal(typeof etag, 'string')
  return others
}
