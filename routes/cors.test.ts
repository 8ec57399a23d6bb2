import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cors } from './cors.ts'
import type { FastRequest } from './fast-request.ts'

test('allows every origin by default, and needs no Vary for it', () => {
  const cors = new Cors({})
  assert.equal(cors.allowedOrigin(from('https://a.example')), '*')
  assert.equal(cors.allowedOrigin(requestWith({})), '*')
  assert.deepEqual(cors.vary, [])
  assert.deepEqual(cors.fieldsFor('*'), { 'access-control-allow-origin': '*' })
})

test('allows every origin when an asterisk is among them', () => {
  assert.equal(new Cors({ origin: ['https://a.example', '*'] }).allowedOrigin(from('https://b.example')), '*')
})

test('allows the named origins only, to the letter', () => {
  for (const cors of [
    new Cors({ origin: 'https://a.example' }),
    new Cors({ origin: ['https://a.example'] })
  ]) {
    assert.equal(cors.allowedOrigin(from('https://a.example')), 'https://a.example')
    for (const origin of [
      'https://b.example',
      'http://a.example',
      'https://a.example:444',
      'https://A.example',
      'https://a.example.evil',
      'https://a.example, https://a.example',
      'null',
      '*',
      ''
    ]) {
      assert.equal(cors.allowedOrigin(from(origin)), '', origin)
    }
    assert.equal(cors.allowedOrigin(requestWith({})), '')
    assert.deepEqual(cors.vary, ['Origin'])
  }
})

test('allows the origin "null" only where it is named', () => {
  assert.equal(new Cors({ origin: 'null' }).allowedOrigin(from('null')), 'null')
})

test('gives no header to an origin that is not allowed', () => {
  const cors = new Cors({ origin: 'https://a.example', credentials: true, exposedHeaders: ['X-A'] })
  assert.deepEqual(cors.fieldsFor(''), {})
})

test('gives credentials and exposed headers to an allowed origin', () => {
  const cors = new Cors({ origin: 'https://a.example', credentials: true, exposedHeaders: ['X-A', 'X-B'] })
  assert.deepEqual(cors.fieldsFor('https://a.example'), {
    'access-control-allow-origin': 'https://a.example',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'X-A, X-B'
  })
  assert.deepEqual(new Cors({ credentials: false }).fieldsFor('*'), { 'access-control-allow-origin': '*' })
})

test('a preflight names the methods, the headers and how long it may be kept', () => {
  const cors = new Cors({ allowedHeaders: ['X-A', 'X-B'], maxAge: 600 })
  const request = requestWith({ 'access-control-request-headers': 'x-c' })
  assert.deepEqual(cors.preflightFields(request, ['GET', 'OPTIONS']), {
    'access-control-allow-methods': 'GET, OPTIONS',
    'access-control-allow-headers': 'X-A, X-B',
    'access-control-max-age': '600'
  })
  assert.equal(new Cors({ maxAge: 0 }).preflightFields(request, ['GET'])['access-control-max-age'], '0')
})

test('a preflight allows the headers that it is asked for, unless they are named', () => {
  const fields = (asked: string): unknown =>
    new Cors({}).preflightFields(requestWith({ 'access-control-request-headers': asked }), ['GET'])[
      'access-control-allow-headers'
    ]
  assert.equal(fields('content-type, x-a'), 'content-type, x-a')
  assert.equal(fields("!#$%&'*+-.^_`|~09"), "!#$%&'*+-.^_`|~09")
  for (const asked of ['x-a: b', 'x-a;', '"x"', 'x-\x80', 'x\ty', '<x>'])
    assert.equal(fields(asked), undefined)
  assert.deepEqual(new Cors({}).preflightFields(requestWith({}), ['GET']), {
    'access-control-allow-methods': 'GET'
  })
  const none = new Cors({ allowedHeaders: [] })
  assert.equal(
    none.preflightFields(requestWith({ 'access-control-request-headers': 'x' }), [])[
      'access-control-allow-headers'
    ],
    ''
  )
})

function from(origin: string): FastRequest {
  return requestWith({ origin })
}

function requestWith(headers: Readonly<Record<string, string>>): FastRequest {
  return { method: 'GET', path: '/', query: {}, header: (name) => headers[name] }
}
