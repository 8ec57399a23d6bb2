import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { fieldValue } from './fields.ts'

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

/** Of these Node keeps the first; the rest are joined, and Content-Length must not come twice at all. */
const NAMES = [
  'Accept Accept-Charset Accept-Encoding Accept-Language Accept-Version Access-Control-Request-Headers',
  'Access-Control-Request-Method Age Allow Authorization Cache-Control Content-Encoding Content-Language',
  'Content-Location Content-Range Content-Type Cookie Cookie2 Date DNT ETag Expires Forwarded From Host',
  'If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Last-Modified Link Location',
  'Max-Forwards Origin Pragma Prefer Proxy-Authenticate Proxy-Authorization Range Referer Retry-After',
  'Sec-Fetch-Mode Sec-WebSocket-Key Server Set-Cookie TE Trailer User-Agent Vary Via WWW-Authenticate Warning',
  'X-A X-Forwarded-For X-Request-Id'
].flatMap((line) => line.split(' '))

test('gives what node:http gives for every header that occurs twice', async () => {
  for (const name of NAMES) await compare([`${name}: first`, 'X-Between: x', `${name.toLowerCase()}: second`])
})

test('gives what node:http gives for every header that occurs once', async () => {
  await compare([...NAMES.map((name) => `${name}: value of ${name}`), 'Content-Length: 0'])
})

test('gives what node:http gives for empty values, blanks around them and bytes beyond ASCII', async () => {
  await compare(['X:', 'X: ', 'X: a', 'X:\t b \t', 'Cookie:', 'Cookie: a=b ', 'Y: a  b', 'Z: \x80\xffä'])
})

test('joins Cookie with a semicolon, lists with a comma, and keeps the first of the rest', () => {
  const lines = ['Cookie: a=1', 'X: a', 'Referer: a', 'cookie: b=2', 'x: b', 'referer: b']
  assert.equal(valueIn(lines, 'cookie'), 'a=1; b=2')
  assert.equal(valueIn(lines, 'x'), 'a, b')
  assert.equal(valueIn(lines, 'referer'), 'a')
})

test('gives nothing for a header that is not there, whatever looks like it', () => {
  const lines = ['Vias: a', 'Vi: a', 'X: via: b', 'X-Via: a', 'via_: a', 'viA-: a']
  assert.equal(valueIn(lines, 'via'), undefined)
  assert.equal(valueIn([], 'via'), undefined)
  assert.equal(valueIn(lines, ''), undefined)
})

test('looks at the lines from start to end only', () => {
  const bytes = Buffer.from('X: before\r\nA: b\r\n\r\nX: behind\r\n\r\n')
  const start = bytes.indexOf('A')
  const end = bytes.indexOf('X: behind')
  assert.equal(fieldValue(bytes, start, end, 'x'), undefined)
  assert.equal(fieldValue(bytes, start, end, 'a'), 'b')
})

test('gives what node:http gives for any header lines', async () => {
  const name = fc.constantFrom(
    'X',
    'X-A',
    'x-a',
    'Cookie',
    'COOKIE',
    'Referer',
    'Set-Cookie',
    'ETag',
    'Via',
    'V'
  )
  const value = fc
    .array(fc.constantFrom('a', 'B', ' ', '\t', ':', ',', ';', '=', '"', '\x80', '\xff', '~', 'x-a:'), {
      maxLength: 6
    })
    .map((all) => all.join(''))
  const line = fc
    .tuple(name, fc.constantFrom('', ' ', '\t'), value)
    .map(([n, blank, v]) => `${n}:${blank}${v}`)
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => compare(lines)),
    { numRuns: 300 }
  )
})

/** Sends the lines to node:http and compares every header there, and some that are not. */
async function compare(lines: readonly string[]): Promise<void> {
  received = null
  socket.write(textOf(lines), 'latin1')
  await once(socket, 'data')
  assert.ok(received !== null, `refused: ${JSON.stringify(lines)}`)
  const { headers } = received as IncomingMessage
  for (const name of new Set([...Object.keys(headers), ...NAMES.map((name) => name.toLowerCase())])) {
    const value = headers[name]
    const expected = Array.isArray(value) ? value.join(', ') : value
    assert.equal(valueIn(lines, name), name === 'host' ? 'unit.test' : expected, name)
  }
}

function textOf(lines: readonly string[]): string {
  return `GET / HTTP/1.1\r\nHost: unit.test\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
}

function valueIn(lines: readonly string[], name: string): string | undefined {
  const bytes = Buffer.from(textOf(lines), 'latin1')
  return fieldValue(bytes, bytes.indexOf('Host'), bytes.length, name)
}
