import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { COMPLETE, RequestHead, scanHead } from '../core/http/scanner.ts'
import { readOptions } from './fast-options.ts'
import { MessageRequest, WireRequest } from './fast-request.ts'
import type { FastRequest } from './fast-request.ts'
import { StaticRoute } from './fast-route.ts'
import { FastCall } from './reading.ts'

const server = createServer((request, response) => {
  received = request
  response.end()
})
let received: IncomingMessage | null = null
let socket: Socket

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
})

after(() => {
  socket.destroy()
  server.close()
})

test('a request on the wire tells its method, path, query and headers', () => {
  const request = onTheWire('HEAD /a/b?c=1&d=2&c=3&e=%20+ HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n')
  assert.equal(request.method, 'HEAD')
  assert.equal(request.path, '/a/b')
  assert.deepEqual({ ...request.query }, { c: ['1', '3'], d: '2', e: '  ' })
  assert.equal(request.header('X-a'), '1, 2')
  assert.equal(request.header('host'), 'x')
  assert.equal(request.header('x-b'), undefined)
})

test('a request on the wire is read at its own place among others', () => {
  const before = 'GET /first?x=y HTTP/1.1\r\nHost: first\r\nX-A: first\r\n\r\n'
  const behind = 'GET /last?x=z HTTP/1.1\r\nHost: last\r\nX-B: last\r\n\r\n'
  const request = onTheWire('GET /a HTTP/1.1\r\nHost: x\r\n\r\n', before, behind)
  assert.equal(request.path, '/a')
  assert.deepEqual({ ...request.query }, {})
  assert.deepEqual(
    ['host', 'x-a', 'x-b'].map((name) => request.header(name)),
    ['x', undefined, undefined]
  )
})

test('a request of node:http loses the scheme and authority of an absolute target', async () => {
  for (const [target, path, query] of [
    ['http://a.example/b?c=d', '/b', { c: 'd' }],
    ['HTTPS://a.example:443/b', '/b', {}],
    ['/http://a.example/b', '/http://a.example/b', {}],
    ['/?a=http://b', '/', { a: 'http://b' }],
    ['*', '*', {}]
  ] as const) {
    const method = target === '*' ? 'OPTIONS' : 'GET'
    const request = await throughNode(`${method} ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
    assert.equal(request.path, path, target)
    assert.deepEqual({ ...request.query }, query, target)
  }
})

test('both lanes give the same path and query', async () => {
  const piece = fc.constantFrom(
    'a',
    '=',
    '&',
    '?',
    '/',
    '%20',
    '%zz',
    '%C3%A4',
    '%',
    '+',
    ';',
    '__proto__',
    '1',
    '.'
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const { wire, message } = await inBothLanes(`GET /${pieces.join('')} HTTP/1.1\r\nHost: x\r\n\r\n`)
      assert.equal(wire.path, message.path)
      assert.deepEqual(wire.query, message.query)
    }),
    { numRuns: 300 }
  )
})

test('both lanes give the same method and headers', async () => {
  const name = fc.constantFrom('X-A', 'x-a', 'Cookie', 'Set-Cookie', 'Origin', 'Referer', 'If-None-Match')
  const value = fc.constantFrom('', 'a', ' a ', 'a, b', '\x80', '"a"', 'W/"a";q=1')
  const line = fc.tuple(name, value).map((parts) => `${parts.join(':')}\r\n`)
  const method = fc.constantFrom('GET', 'HEAD', 'OPTIONS')
  await fc.assert(
    fc.asyncProperty(method, fc.array(line, { maxLength: 6 }), async (method, lines) => {
      const { wire, message } = await inBothLanes(`${method} / HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n`)
      assert.equal(wire.method, message.method)
      for (const name of [
        'host',
        'x-a',
        'X-A',
        'COOKIE',
        'set-cookie',
        'origin',
        'referer',
        'if-none-match',
        ''
      ]) {
        assert.equal(wire.header(name), message.header(name), name)
      }
    }),
    { numRuns: 300 }
  )
})

test('both lanes give nothing for a header that shares its name with an object property', async () => {
  const { wire, message } = await inBothLanes('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.equal(wire.header(name), undefined, name)
    assert.equal(message.header(name), undefined, name)
  }
})

async function inBothLanes(text: string): Promise<{ wire: FastRequest; message: FastRequest }> {
  return { wire: onTheWire(text), message: await throughNode(text) }
}

function onTheWire(text: string, before = '', behind = ''): FastRequest {
  const bytes = Buffer.from(before + text + behind, 'latin1')
  const head = new RequestHead()
  assert.equal(scanHead(bytes, before.length, bytes.length, head), COMPLETE, text)
  const route = new StaticRoute('/', readOptions('/', {}, 'text/plain', []), 200, bytes)
  return new WireRequest(bytes, new FastCall(route, before.length, head))
}

async function throughNode(text: string): Promise<FastRequest> {
  received = null
  socket.write(text, 'latin1')
  await once(socket, 'data')
  assert.ok(received !== null, `refused: ${text}`)
  return new MessageRequest(received)
}
