import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOptions } from './fast-options.ts'
import type { FastJsonOptions, FastOptions, RouteOptions } from './fast-options.ts'

test('fills in every default', () => {
  assert.deepEqual(read({}), {
    methods: ['GET', 'HEAD'],
    fields: { server: 'scherzo', 'content-type': 'text/plain' },
    cors: null,
    compress: null
  })
})

test('puts HEAD beside GET, and OPTIONS beside CORS', () => {
  assert.deepEqual(read({ methods: ['post', 'Get'] }).methods, ['POST', 'GET', 'HEAD'])
  assert.deepEqual(read({ methods: ['POST'] }).methods, ['POST'])
  assert.deepEqual(read({ methods: ['GET', 'GET', 'HEAD'] }).methods, ['GET', 'HEAD'])
  assert.deepEqual(read({ cors: true }).methods, ['GET', 'HEAD', 'OPTIONS'])
  assert.deepEqual(read({ cors: { maxAge: 0 } }).methods, ['GET', 'HEAD', 'OPTIONS'])
  assert.deepEqual(read({ cors: false }).methods, ['GET', 'HEAD'])
})

test('lets headers win over its own, in any case', () => {
  const { fields } = read({
    cacheControl: 'no-cache',
    headers: { Server: 'mine', 'Content-Type': 'image/png', 'X-A': 'ä', 'Cache-Control': 'no-store' }
  })
  assert.deepEqual(fields, {
    server: 'mine',
    'content-type': 'image/png',
    'cache-control': 'no-store',
    'x-a': 'ä'
  })
})

test('writes cacheControl as the Cache-Control header', () => {
  assert.equal(read({ cacheControl: 'public, max-age=60' }).fields['cache-control'], 'public, max-age=60')
})

test('gives CORS rules as they are, none for false, empty ones for true', () => {
  const cors = {
    origin: ['https://a.example', 'http://b.example:8080', 'null'],
    credentials: true,
    maxAge: 60
  }
  assert.equal(read({ cors }).cors, cors)
  assert.deepEqual(read({ cors: true }).cors, {})
  assert.equal(read({ cors: false }).cors, null)
})

test('takes the options of its kind of route besides the common ones', () => {
  const options: FastJsonOptions = { schema: {} }
  assert.doesNotThrow(() => readOptions('/a', options, 'application/json', ['schema']))
  refuses(options, 'schema', 'the options are methods, headers, cacheControl, cors, compress')
})

test('refuses an option that does not exist', () => {
  refuses(
    { header: {} } as FastOptions,
    'header',
    'the options are methods, headers, cacheControl, cors, compress'
  )
})

test('refuses methods that no route can have', () => {
  refuses({ methods: [] }, 'methods', 'name at least one')
  refuses({ methods: ['GET', 'FETCH'] }, 'methods', '"FETCH" is no method of a route')
  refuses({ methods: [''] }, 'methods', '"" is no method of a route')
  refuses({ methods: ['connect'] }, 'methods', '"CONNECT" is no method of a route')
  refuses({ methods: ['GET '] }, 'methods', '"GET " is no method of a route')
})

test('refuses the headers that the server works out itself', () => {
  for (const name of [
    'Connection',
    'content-encoding',
    'Content-Length',
    'Date',
    'ETag',
    'Keep-Alive',
    'Trailer',
    'TRANSFER-ENCODING',
    'upgrade'
  ]) {
    refuses({ headers: { [name]: 'x' } }, 'headers', `${name} is set by the server`)
  }
})

test('refuses what would break the head of a response', () => {
  refuses({ headers: { 'a b': 'x' } }, 'headers', 'Header name must be a valid HTTP token ["a b"]')
  refuses({ headers: { '': 'x' } }, 'headers', 'Header name must be a valid HTTP token [""]')
  refuses({ headers: { 'X-A': 'a\r\nb: c' } }, 'headers', 'Invalid character in header content ["x-a"]')
  refuses({ headers: { 'X-A': '世' } }, 'headers', 'Invalid character in header content ["x-a"]')
  refuses({ cacheControl: 'a\n' }, 'cacheControl', 'Invalid character in header content ["cache-control"]')
})

test('refuses CORS rules that make no sense', () => {
  refuses(
    { cors: { origins: ['*'] } as object },
    'cors',
    '"origins" is not one of origin, allowedHeaders, exposedHeaders, credentials, maxAge'
  )
  refuses({ cors: { origin: [] } }, 'cors', 'name at least one origin')
  for (const origin of [
    '',
    'example.com',
    'https://example.com/',
    'https://example.com:443',
    'https://EXAMPLE.com',
    'https://user@example.com',
    'https://example.com?a'
  ]) {
    refuses(
      { cors: { origin: ['https://good.example', origin] } },
      'cors',
      `"${origin}" is no origin like https://example.com`
    )
  }
  refuses({ cors: { credentials: true } }, 'cors', 'credentials need origins named one by one')
  refuses(
    { cors: { credentials: true, origin: ['https://a.example', '*'] } },
    'cors',
    'credentials need origins named one by one'
  )
  for (const maxAge of [-1, 1.5, NaN, Infinity])
    refuses({ cors: { maxAge } }, 'cors', 'maxAge is a number of seconds')
})

test('refuses CORS headers that would break the head of a response', () => {
  for (const name of ['exposedHeaders', 'allowedHeaders'] as const) {
    for (const value of ['X-A\r\nset-cookie: a=b', 'X-A\n', 'X-世']) {
      assert.throws(
        () => read({ cors: { [name]: [value] } }),
        { code: 'SCZ_ERR_FAST_OPTION' },
        `${name} ${value}`
      )
    }
  }
})

test('refuses an origin with a wildcard inside, which no browser ever sends', () => {
  refuses(
    { cors: { origin: 'https://*.example.com' } },
    'cors',
    '"https://*.example.com" is no origin like https://example.com'
  )
})

test('refuses options of a wrong type by their names, as an app in JavaScript may have them', () => {
  const wrong = {
    methods: 'GET',
    headers: 'x-a: b',
    cacheControl: 60,
    cors: null,
    compress: 'yes'
  } as const
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(
      () => read({ [name]: value } as unknown as FastOptions),
      (error: Error) => error.message.startsWith(`Invalid option "${name}" of the fast route /a: `),
      name
    )
  }
})

function read(options: FastOptions): RouteOptions {
  return readOptions('/a', options, 'text/plain', [])
}

function refuses(options: FastOptions, name: string, reason: string): void {
  assert.throws(() => read(options), {
    code: 'SCZ_ERR_FAST_OPTION',
    message: `Invalid option "${name}" of the fast route /a: ${reason}`
  })
}
