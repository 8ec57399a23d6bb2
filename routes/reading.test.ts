import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readOptions } from './fast-options.ts'
import { StaticRoute } from './fast-route.ts'
import { readCalls } from './reading.ts'
import type { FastCall, Reading } from './reading.ts'
import { FastTable } from './table.ts'

const table = new FastTable()
const [a, b] = [routeOf('/a'), routeOf('/b')]
table.add('GET', '/a', a)
table.add('HEAD', '/a', a)
table.add('GET', '/b', b)

const GET_A = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n'
const GET_B = 'GET /b?c=d HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n'
const CLOSING = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

test('reads nothing in no bytes', () => {
  assert.deepEqual(read(''), { calls: [], consumed: 0, next: 'idle' })
})

test('reads one request and where its parts are', () => {
  const { calls, consumed, next } = readCalls(Buffer.from(GET_B), table)
  assert.deepEqual([calls.length, consumed, next], [1, GET_B.length, 'idle'])
  const call = calls[0]!
  assert.equal(call.route, b)
  assert.equal(call.method, 'GET')
  assert.equal(call.close, false)
  assert.equal(call.answer, null)
  assert.equal(call.start, 0)
  assert.equal(GET_B.slice(call.targetStart, call.pathEnd), '/b')
  assert.equal(GET_B.slice(call.targetStart, call.targetEnd), '/b?c=d')
  assert.equal(GET_B.slice(call.headersStart, call.end), 'Host: x\r\nAccept: */*\r\n\r\n')
})

test('reads pipelined requests in their order, each from its own start', () => {
  const head = GET_A.replace('GET', 'HEAD')
  const text = GET_A + GET_B + head
  const { calls, consumed, next } = readCalls(Buffer.from(text), table)
  assert.deepEqual(
    calls.map((call) => [call.method, call.route.path, text.slice(call.start, call.end)]),
    [
      ['GET', '/a', GET_A],
      ['GET', '/b', GET_B],
      ['HEAD', '/a', head]
    ]
  )
  assert.deepEqual([consumed, next], [text.length, 'idle'])
})

test('stops at a request that is not whole', () => {
  assert.deepEqual(read(`${GET_A}GET /b HT`), { calls: ['/a'], consumed: GET_A.length, next: 'partial' })
  assert.deepEqual(read('G'), { calls: [], consumed: 0, next: 'partial' })
})

test('stops at a request for the main lane, whole or not, and reads no request behind it', () => {
  for (const other of [
    'GET /c HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /a/ HTTP/1.1\r\nHost: x\r\n\r\n',
    'HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n',
    'OPTIONS /a HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: x\r\n',
    'GET /a HTTP/1.0\r\n',
    'GET /%61 HTTP/1.1\r\nHost: x\r\n\r\n',
    '\x16\x03\x01'
  ]) {
    assert.deepEqual(read(other), { calls: [], consumed: 0, next: 'main' }, other)
    assert.deepEqual(
      read(GET_B + other + GET_A),
      { calls: ['/b'], consumed: GET_B.length, next: 'main' },
      other
    )
  }
})

test('reads nothing behind a request that closes the connection', () => {
  for (const rest of ['', GET_A, 'GET /', 'POST / HTTP/1.1\r\n', '\x00']) {
    assert.deepEqual(read(GET_A + CLOSING + rest), {
      calls: ['/a', '/a'],
      consumed: GET_A.length + CLOSING.length,
      next: 'close'
    })
  }
})

test('leaves a closing request that is not the fast lane’s to the main lane', () => {
  assert.deepEqual(read(CLOSING.replace('/a', '/c')), { calls: [], consumed: 0, next: 'main' })
})

test('reads the same calls however the bytes are cut', () => {
  const piece = fc.constantFrom(GET_A, GET_B, CLOSING, 'POST / HTTP/1.1\r\n\r\n', 'GET /a HTT', '\r\n')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.nat(400), (pieces, cut) => {
      const text = pieces.join('')
      const whole = read(text)
      const first = read(text.slice(0, cut))
      if (first.next === 'main' || first.next === 'close') {
        assert.deepEqual(first, whole)
        return
      }
      const second = read(text.slice(first.consumed))
      assert.deepEqual(
        {
          calls: [...first.calls, ...second.calls],
          consumed: first.consumed + second.consumed,
          next: second.next
        },
        whole
      )
    })
  )
})

test('takes up whole requests only, one behind the other', () => {
  const piece = fc.constantFrom(GET_A, GET_B, CLOSING, 'G', 'x', 'GET /a HTT')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const { calls, consumed } = readCalls(Buffer.from(pieces.join('')), table)
      let end = 0
      for (const call of calls) {
        assert.equal(call.start, end)
        end = call.end
      }
      assert.equal(consumed, end)
    })
  )
})

function read(text: string): { calls: readonly string[]; consumed: number; next: Reading['next'] } {
  const { calls, consumed, next } = readCalls(Buffer.from(text, 'latin1'), table)
  return { calls: calls.map(({ route }: FastCall) => route.path), consumed, next }
}

function routeOf(path: string): StaticRoute {
  return new StaticRoute(path, readOptions(path, {}, 'text/plain', []), 200, Buffer.from(path))
}
