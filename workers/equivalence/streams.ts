import fc from 'fast-check'

/** Bytes for one connection, one character each, and the offsets at which they are cut into separate writes. */
export interface Stream {
  readonly text: string
  readonly cuts: readonly number[]
}

/** Streams of requests, most of them valid at first, then mutated in some; cut at no, some or all offsets. */
export function streams(): fc.Arbitrary<Stream> {
  const requests = fc.array(
    fc.oneof({ weight: 5, arbitrary: validRequest() }, { weight: 3, arbitrary: oddRequest() }),
    {
      minLength: 1,
      maxLength: 4
    }
  )
  const text = fc
    .tuple(requests, fc.array(mutation(), { maxLength: 2 }), fc.nat(2))
    .map(([parts, mutations, dice]) => (dice === 0 ? mutations : []).reduce(mutate, parts.join('')))
  return fc
    .tuple(
      text,
      fc.oneof(fc.constant('none'), fc.constant('some'), fc.constant('all')),
      fc.array(fc.nat(), { maxLength: 4 })
    )
    .map(([bytes, kind, offsets]) => ({ text: bytes, cuts: cutsOf(bytes, kind, offsets) }))
}

/** Streams that take long one byte at a time are cut in a few places only. */
const LONGEST_CUT_EVERYWHERE = 220

function cutsOf(text: string, kind: string, offsets: readonly number[]): number[] {
  if (kind === 'none') return []
  if (kind === 'all' && text.length <= LONGEST_CUT_EVERYWHERE)
    return Array.from({ length: text.length - 1 }, (_, index) => index + 1)
  return [...new Set(offsets.map((offset) => offset % text.length))]
    .filter((offset) => offset > 0)
    .toSorted((a, b) => a - b)
}

const PATHS = [
  '/plaintext',
  '/unicode',
  '/page',
  '/bytes',
  '/version',
  '/json',
  '/echo',
  '/echo?a=1&b=%20x&a=2',
  '/plaintext?x',
  '/teapot',
  '/teapot?empty',
  '/throws',
  '/users/42',
  '/missing',
  '/%70laintext',
  '/plaintext/',
  '//plaintext',
  '/Plaintext'
]

const HEADERS = [
  'Accept: */*',
  'User-Agent: fuzz/1.0',
  'Accept-Encoding: gzip, br;q=0.5',
  'Accept-Encoding: zstd, *;q=0',
  'accept-encoding:   GZIP  ',
  'If-None-Match: *',
  'If-None-Match: W/"3_1gIbsr1bCvZ2KQ", "other"',
  'Origin: https://a.example',
  'Origin: https://c.example',
  'Access-Control-Request-Method: GET',
  'Access-Control-Request-Headers: X-One, x-two',
  'X-Custom: one',
  'x-custom:\ttwo\t',
  'Cookie: a=1',
  'Cookie: b=2',
  'X-Obs: caf\u00e9',
  'X-Empty:',
  'Connection: keep-alive',
  'Connection: Keep-Alive',
  'Content-Type: text/plain'
]

function validRequest(): fc.Arbitrary<string> {
  const bodyless = fc
    .tuple(
      fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'DELETE'),
      fc.constantFrom(...PATHS),
      headers()
    )
    .map(([method, path, lines]) => request(`${method} ${path} HTTP/1.1`, ['Host: localhost:3000', ...lines]))
  const withLength = fc
    .tuple(
      fc.constantFrom('POST /users', 'POST /teapot', 'GET /plaintext', 'GET /users/7', 'POST /missing'),
      headers(),
      fc.stringMatching(/^[a-z]{0,20}$/)
    )
    .map(([start, lines, body]) =>
      request(
        `${start} HTTP/1.1`,
        ['Host: localhost', 'Content-Type: text/plain', ...lines, `Content-Length: ${body.length}`],
        body
      )
    )
  const chunked = fc
    .tuple(
      fc.constantFrom('POST /users', 'GET /json'),
      fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 3 })
    )
    .map(([start, chunks]) =>
      request(
        `${start} HTTP/1.1`,
        ['Host: localhost', 'Content-Type: text/plain', 'Transfer-Encoding: chunked'],
        [...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), '0\r\n\r\n'].join('')
      )
    )
  return fc.oneof({ weight: 6, arbitrary: bodyless }, withLength, chunked)
}

/** Requests that a careless server reads differently from a careful one. */
function oddRequest(): fc.Arbitrary<string> {
  const hosts = [
    'Host: a\r\nHost: b',
    'Host: a\r\nHost: a',
    'Host: a, b',
    'Host:',
    'Host: user@a',
    'Host: a/b',
    'Host: a b',
    'Host: [::1]:80',
    'Host: a:b',
    'Host: a ',
    'X: y'
  ]
  const extras = [
    'Connection: close',
    'Connection: close, keep-alive',
    'Connection: upgrade\r\nUpgrade: foo',
    'Proxy-Connection: close',
    'Expect: 100-continue',
    'Expect: x',
    'Content-Length: 0',
    'Content-Length: 5',
    'Content-Length: +5',
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding:',
    'Transfer-Encoding: identity',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding: \u000bchunked',
    'X-Folded: a\r\n b',
    ' X-Leading: a',
    'X Space: a',
    'X-Control: a\u0001b',
    'X-Nul: a\u0000b',
    'X-Bare: a\nX-Next: b',
    'X-Cr: a\rb',
    'NoColon',
    ': no name',
    `X-Long: ${'a'.repeat(9000)}`,
    `X-Longer: ${'a'.repeat(17_000)}`
  ]
  const starts = [
    'GET http://localhost/plaintext HTTP/1.1',
    'GET http://other.example/json?x HTTP/1.1',
    'GET * HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET /plaintext HTTP/1.0',
    'GET /plaintext HTTP/1.2',
    'GET /plaintext HTTP/2.0',
    'GET /plaintext',
    'GET  /plaintext HTTP/1.1',
    'GET /plaintext  HTTP/1.1',
    'get /plaintext HTTP/1.1',
    'GET /plain\ttext HTTP/1.1',
    'GET /plaintext#fragment HTTP/1.1',
    'GET /plaintext?q=\u00fc HTTP/1.1',
    'GET /plaintext?q="<>" HTTP/1.1',
    '\r\nGET /plaintext HTTP/1.1',
    '\nGET /plaintext HTTP/1.1',
    'CONNECT localhost:80 HTTP/1.1',
    'TRACE /plaintext HTTP/1.1',
    'PRI * HTTP/2.0'
  ]
  const badHost = fc.constantFrom(...hosts).map((host) => request('GET /plaintext HTTP/1.1', [host]))
  const badHeader = fc
    .tuple(
      fc.constantFrom('GET', 'HEAD', 'POST'),
      fc.constantFrom('/plaintext', '/json', '/users/1'),
      fc.constantFrom(...extras),
      fc.constantFrom('', 'hello', '0\r\n\r\n')
    )
    .map(([method, path, extra, body]) =>
      request(`${method} ${path} HTTP/1.1`, ['Host: localhost', extra], body)
    )
  const badStart = fc
    .tuple(fc.constantFrom(...starts), headers())
    .map(([start, lines]) => request(start, ['Host: localhost', ...lines]))
  const bareLines = fc.constantFrom(
    'GET /plaintext HTTP/1.1\nHost: localhost\n\n',
    'GET /json HTTP/1.1\r\nHost: localhost\n\r\n',
    'GET /json HTTP/1.1\rHost: localhost\r\r'
  )
  const unfinished = fc
    .tuple(validRequest(), fc.nat())
    .map(([whole, at]) => whole.slice(0, at % whole.length))
  return fc.oneof(badHost, { weight: 3, arbitrary: badHeader }, badStart, bareLines, unfinished)
}

function headers(): fc.Arbitrary<string[]> {
  return fc.array(fc.constantFrom(...HEADERS), { maxLength: 4 })
}

function request(start: string, lines: readonly string[], body = ''): string {
  return `${[start, ...lines].join('\r\n')}\r\n\r\n${body}`
}

interface Mutation {
  readonly kind: 'delete' | 'insert' | 'replace' | 'repeat'
  readonly at: number
  readonly byte: number
}

function mutation(): fc.Arbitrary<Mutation> {
  const telling = fc.constantFrom(0x00, 0x09, 0x0a, 0x0d, 0x20, 0x3a, 0x2c, 0x7f, 0x80, 0xff)
  return fc.record({
    kind: fc.constantFrom('delete', 'insert', 'replace', 'repeat'),
    at: fc.nat(),
    byte: fc.oneof(telling, fc.nat(255))
  })
}

function mutate(text: string, { kind, at, byte }: Mutation): string {
  const offset = at % Math.max(1, text.length)
  const before = text.slice(0, offset)
  const inserted = String.fromCharCode(byte)
  switch (kind) {
    case 'delete':
      return before + text.slice(offset + 1) || inserted
    case 'insert':
      return before + inserted + text.slice(offset)
    case 'replace':
      return before + inserted + text.slice(offset + 1)
    case 'repeat':
      return before + text.slice(Math.max(0, offset - 8), offset) + text.slice(offset)
  }
}
