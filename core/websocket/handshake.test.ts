import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../errors.ts'
import { shakeHands } from './handshake.ts'
import type { HandshakeErrorCode, HandshakeOptions, HandshakeRequest } from './handshake.ts'

const PLAIN: HandshakeOptions = { chooseProtocol: null, origins: null, deflate: false }
const HEADERS: Readonly<Record<string, string>> = {
  Host: 'server.example.com',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13'
}

test('accepts the example of RFC 6455 section 1.3', () => {
  assert.deepEqual(shakeHands(request(), PLAIN), {
    isAccepted: true,
    head:
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    protocol: null,
    deflate: null
  })
})

test('reads names, tokens and lists as HTTP does', () => {
  accepts(request({ Upgrade: 'WebSocket' }))
  accepts(request({ Upgrade: 'h2c, websocket' }))
  accepts(request({ Connection: 'keep-alive, Upgrade' }))
  accepts(request({ Connection: ' ,UPGRADE\t,' }))
  accepts(request({ Connection: 'keep-alive' }, ['connection', 'upgrade']))
  accepts(request({ Upgrade: 'h2c' }, ['UPGRADE', 'websocket']))
  accepts({
    method: 'GET',
    httpVersion: '1.1',
    rawHeaders: Object.entries(HEADERS).flatMap(([name, value]) => [name.toUpperCase(), value])
  })
})

test('refuses another method than GET and HTTP/1.0', () => {
  for (const method of ['POST', 'HEAD', 'CONNECT', 'get', undefined]) {
    refuses({ ...request(), method }, 'SCZ_ERR_WS_REQUEST', 400)
  }
  refuses({ ...request(), httpVersion: '1.0' }, 'SCZ_ERR_WS_REQUEST', 400)
  refuses({ ...request(), httpVersion: '2.0' }, 'SCZ_ERR_WS_REQUEST', 400)
})

test('refuses a request without a Host or with two', () => {
  refuses(request({ Host: null }), 'SCZ_ERR_HOST', 400)
  refuses(request({}, ['host', 'server.example.com']), 'SCZ_ERR_HOST', 400)
})

test('refuses a request that does not ask for the upgrade in both headers', () => {
  for (const Upgrade of [null, '', 'h2c', 'websockets', 'websocket/13', '"websocket"']) {
    refuses(request({ Upgrade }), 'SCZ_ERR_WS_UPGRADE', 400)
  }
  for (const Connection of [null, '', 'keep-alive', 'upgrade-insecure', 'close']) {
    refuses(request({ Connection }), 'SCZ_ERR_WS_UPGRADE', 400)
  }
})

test('refuses a key that is not 16 bytes in canonical base64, and more than one', () => {
  for (const key of [
    null,
    '',
    'dGhlIHNhbXBsZSBub25jZQ',
    'dGhlIHNhbXBsZSBub25jZR==',
    'dGhlIHNhbXBsZSBub25j',
    'dGhlIHNhbXBsZSBub25jZWE=',
    'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==',
    'dGhlIHNhbXBsZSBub25j-_==',
    'dGhlIHNhbXBsZSBub25jZQ==='
  ]) {
    refuses(request({ 'Sec-WebSocket-Key': key }), 'SCZ_ERR_WS_KEY', 400)
  }
  refuses(request({}, ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']), 'SCZ_ERR_WS_KEY', 400)
})

test('names version 13 to a client of another one', () => {
  for (const version of [null, '', '0', '8', '14', '013', '13, 8']) {
    const refusal = refuses(request({ 'Sec-WebSocket-Version': version }), 'SCZ_ERR_WS_VERSION', 426)
    assert.deepEqual(refusal, {
      Connection: 'close, Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13'
    })
  }
  refuses(request({}, ['Sec-WebSocket-Version', '13']), 'SCZ_ERR_WS_VERSION', 426)
  refuses(request({ 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Key': null }), 'SCZ_ERR_WS_VERSION', 426)
})

test('lets only the listed origins in, letter for letter, and requests that have none', () => {
  const options = { ...PLAIN, origins: ['https://example.com', 'http://localhost:3000'] }
  accepts(request(), options)
  accepts(request({ Origin: 'https://example.com' }), options)
  accepts(request({ Origin: 'http://localhost:3000' }), options)
  for (const Origin of [
    'http://example.com',
    'https://example.com:443',
    'https://example.com/',
    'https://example.com.evil.example',
    'https://a.example.com',
    'HTTPS://EXAMPLE.COM',
    'null',
    ''
  ]) {
    refuses(request({ Origin }), 'SCZ_ERR_WS_ORIGIN', 403, options)
  }
  const both = request({ Origin: 'https://example.com' }, ['Origin', 'https://evil.example'])
  refuses(both, 'SCZ_ERR_WS_ORIGIN', 403, options)
  refuses(request({ Origin: 'https://example.com' }), 'SCZ_ERR_WS_ORIGIN', 403, { ...PLAIN, origins: [] })
  accepts(request({ Origin: 'https://evil.example' }), { ...PLAIN, origins: ['*'] })
  accepts(request({ Origin: 'https://evil.example' }), PLAIN)
})

test('answers with the subprotocol that was chosen among the offered', () => {
  const offered: (readonly string[])[] = []
  const options = {
    ...PLAIN,
    chooseProtocol: (names: readonly string[]) => {
      offered.push(names)
      return names.find((name) => name.startsWith('v2')) ?? null
    }
  }
  const list = request({ 'Sec-WebSocket-Protocol': 'v1.chat, v2.chat' }, [
    'sec-websocket-protocol',
    'v2.other'
  ])
  const accepted = accepts(list, options)
  assert.equal(accepted.protocol, 'v2.chat')
  assert.match(accepted.head, /\r\nSec-WebSocket-Protocol: v2\.chat\r\n/)
  assert.equal(accepts(request({ 'Sec-WebSocket-Protocol': 'v1.chat' }), options).protocol, null)
  accepts(request(), options)
  assert.deepEqual(offered, [['v1.chat', 'v2.chat', 'v2.other'], ['v1.chat']])
})

test('sends no subprotocol that the client did not offer', () => {
  const options = { ...PLAIN, chooseProtocol: () => 'other' }
  const accepted = accepts(request({ 'Sec-WebSocket-Protocol': 'chat' }), options)
  assert.equal(accepted.protocol, null)
  assert.doesNotMatch(accepted.head, /Protocol:/)
})

test('refuses subprotocols that are no tokens or repeated, and malformed extensions', () => {
  for (const value of ['a b', 'a/b', 'a, a', 'a;q=1']) {
    refuses(request({ 'Sec-WebSocket-Protocol': value }), 'SCZ_ERR_WS_PROTOCOL', 400)
  }
  for (const value of ['permessage-deflate;', 'permessage-deflate=1', 'a b']) {
    refuses(request({ 'Sec-WebSocket-Extensions': value }), 'SCZ_ERR_WS_EXTENSIONS', 400)
  }
})

test('agrees on compression where it is on and the client offers it', () => {
  const on = { ...PLAIN, deflate: true }
  const offer = request({ 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' })
  const { head, deflate } = accepts(offer, on)
  assert.equal(deflate?.maxWindowBits, 15)
  assert.ok(
    head.includes(
      '\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n'
    )
  )
  assert.equal(accepts(offer, PLAIN).deflate, null)
  assert.equal(accepts(request(), on).deflate, null)
  const invalid = request({ 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=99' })
  assert.doesNotMatch(accepts(invalid, on).head, /Extensions/)
  const lines = request({ 'Sec-WebSocket-Extensions': 'foo' }, [
    'Sec-WebSocket-Extensions',
    'permessage-deflate'
  ])
  assert.equal(accepts(lines, on).deflate?.maxWindowBits, 15)
})

/** The example with some headers changed, left out (null) or added as a further line. */
function request(
  changes: Readonly<Record<string, string | null>> = {},
  line: readonly string[] = []
): HandshakeRequest {
  const headers = Object.entries({ ...HEADERS, ...changes })
  return {
    method: 'GET',
    httpVersion: '1.1',
    rawHeaders: [...headers.flatMap(([name, value]) => (value === null ? [] : [name, value])), ...line]
  }
}

function accepts(
  request: HandshakeRequest,
  options = PLAIN
): ReturnType<typeof shakeHands> & { isAccepted: true } {
  const result = shakeHands(request, options)
  if (!result.isAccepted) assert.fail(`${result.code}: ${request.rawHeaders.join(' ')}`)
  return result
}

function refuses(
  request: HandshakeRequest,
  code: HandshakeErrorCode,
  status: number,
  options = PLAIN
): Readonly<Record<string, string>> {
  const result = shakeHands(request, options)
  if (result.isAccepted) assert.fail(`accepted: ${request.rawHeaders.join(' ')}`)
  assert.deepEqual([result.code, result.status], [code, status])
  assert.equal(catalogue[code].status, status)
  assert.match(result.headers['Connection']!, /^close\b/)
  return result.headers
}
