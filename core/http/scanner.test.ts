import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COMPLETE, MAX_HEAD_BYTES, PARTIAL, RequestHead, UNSURE, scanHead } from './scanner.ts'
import type { ScanResult } from './scanner.ts'

const PLAIN = 'GET /json HTTP/1.1\r\nHost: example.com\r\n\r\n'

test('gives the place of every part of a head', () => {
  const text = 'GET /json?a=1&b=%20 HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n'
  assert.deepEqual(scan(text), {
    result: COMPLETE,
    method: 'GET',
    path: '/json',
    target: '/json?a=1&b=%20',
    headers: 'Host: example.com\r\nAccept: */*\r\n\r\n',
    end: text.length,
    close: false
  })
})

test('reads from start up to limit and leaves what lies around it alone', () => {
  const before = 'HEAD /first HTTP/1.1\r\n\r\n'
  const bytes = Buffer.from(`${before}${PLAIN}POST / HTTP/1.1\r\n`)
  const head = new RequestHead()
  const start = before.length
  assert.equal(scanHead(bytes, start, bytes.length, head), COMPLETE)
  assert.equal(bytes.toString('latin1', head.targetStart, head.pathEnd), '/json')
  assert.equal(head.end, start + PLAIN.length)
  assert.equal(scanHead(bytes, start, start + PLAIN.length, head), COMPLETE)
  assert.equal(scanHead(bytes, start, start + PLAIN.length - 1, head), PARTIAL)
})

test('fills in the head only when it is complete', () => {
  const head = new RequestHead()
  scanHead(Buffer.from(PLAIN), 0, PLAIN.length, head)
  const filled = { ...head }
  for (const text of [
    'HEAD /other?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n',
    'HEAD /other HTTP/1.0\r\n'
  ]) {
    assert.notEqual(scanHead(Buffer.from(text), 0, text.length, head), COMPLETE)
    assert.deepEqual({ ...head }, filled)
  }
})

test('forgets the Connection header of the head before', () => {
  const head = new RequestHead()
  const closing = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.equal(scanHead(closing, 0, closing.length, head), COMPLETE)
  assert.equal(head.close, true)
  assert.equal(scanHead(Buffer.from(PLAIN), 0, PLAIN.length, head), COMPLETE)
  assert.equal(head.close, false)
})

describeRule(
  'answers GET, HEAD and OPTIONS in upper case and no other method',
  (line) => `${line}${HOST_END}`,
  {
    complete: ['GET / HTTP/1.1', 'HEAD / HTTP/1.1', 'OPTIONS / HTTP/1.1'],
    unsure: [
      'POST / HTTP/1.1',
      'PUT / HTTP/1.1',
      'DELETE / HTTP/1.1',
      'PATCH / HTTP/1.1',
      'TRACE / HTTP/1.1',
      'get / HTTP/1.1',
      'Get / HTTP/1.1',
      'GETS / HTTP/1.1',
      'GE / HTTP/1.1',
      'OPTION / HTTP/1.1',
      'OPTIONSS / HTTP/1.1',
      ' GET / HTTP/1.1',
      '\tGET / HTTP/1.1',
      '\r\nGET / HTTP/1.1',
      '\nGET / HTTP/1.1',
      'GET\t/ HTTP/1.1',
      'GET\r\n/ HTTP/1.1',
      ' / HTTP/1.1',
      'PRI * HTTP/2.0'
    ]
  }
)

describeRule(
  'takes an origin-form target of URI characters only',
  (target) => `GET ${target} HTTP/1.1${HOST_END}`,
  {
    complete: [
      '/',
      '//',
      '/a/b/c.html',
      '/?',
      '/?a',
      '/a??b',
      '/a?b?c=d/e',
      "/-._~!$&'()*+,;=:@",
      '/%41%zz',
      '/a/../b',
      '/a?b=%20+'
    ],
    unsure: [
      '',
      '*',
      'a',
      'http://example.com/',
      'example.com:443',
      ' /',
      '/a ',
      '/a b',
      '/a\tb',
      '/#',
      '/a?b#c',
      '/"',
      '/<',
      '/>',
      '/\\',
      '/^',
      '/`',
      '/{',
      '/|',
      '/}',
      '/[',
      '/]',
      '/a?[]',
      '/\x00',
      '/\x7f',
      '/\x80',
      '/ä',
      '/\xff',
      '/a\r',
      '/a\n'
    ]
  }
)

describeRule('takes HTTP/1.1 and its CRLF to the letter', (version) => `GET / ${version}Host: a\r\n\r\n`, {
  complete: ['HTTP/1.1\r\n'],
  unsure: [
    'HTTP/1.0\r\n',
    'HTTP/1.2\r\n',
    'HTTP/2.0\r\n',
    'HTTP/0.9\r\n',
    'http/1.1\r\n',
    'HTTP/1.10\r\n',
    'HTTP/01.1\r\n',
    'HTTP /1.1\r\n',
    'HTTP/1.1 \r\n',
    'HTTP/1.1\n',
    'HTTP/1.1\r',
    'HTTP/1.1\r\r\n',
    '\r\n',
    ''
  ]
})

describeRule(
  'takes header lines of a token, a colon at once and a value of visible characters and blanks',
  (lines) => `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`,
  {
    complete: [
      'a:\r\n',
      'a: \r\n',
      'a:b\r\n',
      'a:\t b\r\n',
      'a: b \t\r\n',
      'a: b:c\r\n',
      'a: \x80\xff\r\n',
      "!#$%&'*+-.^_`|~09azAZ: x\r\n",
      'a: 1\r\na: 2\r\n'
    ],
    unsure: [
      ': b\r\n',
      'a\r\n',
      'a : b\r\n',
      'a\t: b\r\n',
      ' a: b\r\n',
      '\ta: b\r\n',
      'x: y\r\n folded\r\n',
      'a b: c\r\n',
      '(a): b\r\n',
      'a@b: c\r\n',
      'ä: b\r\n',
      'a\x00: b\r\n',
      'a: \x00\r\n',
      'a: \x01\r\n',
      'a: \x1f\r\n',
      'a: \x7f\r\n',
      'a: b\n',
      'a: b\r',
      'a: b\r\r\n',
      'a: b\rc\r\n',
      'a: b\nc: d\r\n',
      '\n',
      '\rx'
    ]
  }
)

describeRule('takes exactly one plain Host', (lines) => `GET / HTTP/1.1\r\n${lines}\r\n`, {
  complete: [
    'Host: a\r\n',
    'hOST:a\r\n',
    'Host: \texample.com\r\n',
    'Host: 127.0.0.1:80\r\n',
    'Host: a_b-c.d:0\r\n',
    'Host: a:65535\r\n',
    'Host: a:99999\r\n',
    'Host: .\r\n',
    'X-Host: b\r\nHost: a\r\n',
    'Hose: b\r\nHost: a\r\n'
  ],
  unsure: [
    '',
    'Accept: */*\r\n',
    'Host:\r\n',
    'Host: \r\n',
    'Host: a\r\nHost: a\r\n',
    'Host: a\r\nhost: b\r\n',
    'Host: a, b\r\n',
    'Host: a,b\r\n',
    'Host: a b\r\n',
    'Host: a \r\n',
    'Host: a\t\r\n',
    'Host: :80\r\n',
    'Host: a:\r\n',
    'Host: a:123456\r\n',
    'Host: a:8o\r\n',
    'Host: a:80 \r\n',
    'Host: a:80:80\r\n',
    'Host: a:-1\r\n',
    'Host: [::1]\r\n',
    'Host: user@a\r\n',
    'Host: a/b\r\n',
    'Host: a%41\r\n',
    'Host: ä\r\n',
    'Host: http://a\r\n'
  ]
})

describeRule('takes one Connection header of one well-known option', withLine, {
  complete: [
    'Connection: close',
    'connection:CLOSE',
    'CONNECTION: keep-alive',
    'Connection: Keep-Alive',
    'Connectio: x',
    'Connections: upgrade'
  ],
  unsure: [
    'Connection:',
    'Connection: upgrade',
    'Connection: close ',
    'Connection: keep-alive\t',
    'Connection: close, keep-alive',
    'Connection: keep-alive, Upgrade',
    'Connection: closed',
    'Connection: clos',
    'Connection: keep_alive',
    'Connection: te',
    'Connection: close\r\nConnection: close',
    'Connection: keep-alive\r\nConnection: close'
  ]
})

describeRule('leaves what may bring a body or change the connection to the main lane', withLine, {
  complete: [
    'Content-Type: text/plain',
    'Content-Encoding: gzip',
    'Content-Lengt: 0',
    'Content-Lengths: 0',
    'Content_Length: 0',
    'TE: trailers',
    'Trailer: x',
    'Keep-Alive: timeout=5',
    'Expec: x',
    'Upgrades: x',
    'Transfer-Encodings: x',
    'Transfer_Encoding: chunked',
    'Proxy_Connection: close'
  ],
  unsure: [
    'Content-Length: 0',
    'content-length: 5',
    'CONTENT-LENGTH:',
    'Transfer-Encoding: chunked',
    'transfer-encoding: identity',
    'Transfer-Encoding:',
    'Expect: 100-continue',
    'EXPECT:',
    'Upgrade: websocket',
    'upgrade: h2c',
    'Proxy-Connection: keep-alive',
    'PROXY-CONNECTION: close'
  ]
})

test('leaves OPTIONS with a Content-Type to the main lane, GET and HEAD not', () => {
  const lines = 'Host: a\r\ncontent-TYPE: text/plain\r\n\r\n'
  assert.equal(scan(`OPTIONS / HTTP/1.1\r\n${lines}`).result, UNSURE)
  assert.equal(scan(`GET / HTTP/1.1\r\n${lines}`).result, COMPLETE)
  assert.equal(scan(`HEAD / HTTP/1.1\r\n${lines}`).result, COMPLETE)
})

test('says that the client closes only after Connection: close', () => {
  assert.equal(scan(withLine('Connection: close')).close, true)
  assert.equal(scan(withLine('cOnnection:cLose')).close, true)
  assert.equal(scan(withLine('Connection: keep-alive')).close, false)
  assert.equal(scan(withLine('X: close')).close, false)
})

test('ends a head at its empty line, whatever follows', () => {
  for (const next of ['G', PLAIN, '\r\n', '\x00\xff', 'POST / HTTP/1.1\r\n']) {
    const { result, end } = scan(PLAIN + next)
    assert.deepEqual([result, end], [COMPLETE, PLAIN.length], JSON.stringify(next))
  }
})

test('takes a head of 8 KiB and no byte more', () => {
  const lines = Array.from({ length: 4 }, (_, index) => `a${index}: ${'x'.repeat(2000)}\r\n`).join('')
  const head = (length: number): string => {
    const start = `GET / HTTP/1.1\r\nHost: a\r\n${lines}b: `
    return `${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`
  }
  assert.equal(head(MAX_HEAD_BYTES).length, 8192)
  assert.equal(scan(head(MAX_HEAD_BYTES)).result, COMPLETE)
  assert.equal(scan(`${head(MAX_HEAD_BYTES)}G`).result, COMPLETE)
  assert.equal(scan(head(MAX_HEAD_BYTES + 1)).result, UNSURE)
  assert.equal(scan(head(MAX_HEAD_BYTES + 1).slice(0, -1)).result, PARTIAL)
})

test('asks for more up to 8 KiB and is unsure from there on, in every part of a head', () => {
  for (const start of ['GET /', 'GET /?', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\na: ']) {
    const long = start + 'x'.repeat(MAX_HEAD_BYTES)
    assert.equal(scan(long.slice(0, MAX_HEAD_BYTES)).result, PARTIAL, start)
    assert.equal(scan(long.slice(0, MAX_HEAD_BYTES + 1)).result, UNSURE, start)
  }
})

test('counts the 8 KiB from the start of the head', () => {
  const padding = 'x'.repeat(MAX_HEAD_BYTES)
  const bytes = Buffer.from(padding + PLAIN)
  assert.equal(scanHead(bytes, padding.length, bytes.length, new RequestHead()), COMPLETE)
})

test('takes 200 header lines and no more', () => {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\n'
  assert.equal(scan(`${start}${'a: b\r\n'.repeat(199)}\r\n`).result, COMPLETE)
  assert.equal(scan(`${start}${'a: b\r\n'.repeat(200)}\r\n`).result, UNSURE)
})

test('asks for more at every cut of a valid head', () => {
  for (const head of [
    PLAIN,
    'HEAD /a?b=c HTTP/1.1\r\nHost: example.com:8080\r\nConnection: close\r\n\r\n',
    'OPTIONS / HTTP/1.1\r\nAccept:\r\nOrigin: https://example.com \r\nhost:\ta\r\nConnection: Keep-Alive\r\n\r\n'
  ]) {
    for (let length = 0; length < head.length; length++) {
      assert.equal(scan(head.slice(0, length)).result, PARTIAL, JSON.stringify(head.slice(0, length)))
    }
    assert.equal(scan(head).result, COMPLETE)
  }
})

test('asks for more only while the beginning of a method is right', () => {
  for (const text of ['', 'G', 'GET', 'GET ', 'H', 'HEAD', 'O', 'OPTIONS', 'OPTIONS ']) {
    assert.equal(scan(text).result, PARTIAL, JSON.stringify(text))
  }
  for (const text of ['P', 'g', '\r', '\n', ' ', '\x16', 'GE ', 'GETT', 'OPTIONX', 'HEAD\t']) {
    assert.equal(scan(text).result, UNSURE, JSON.stringify(text))
  }
})

test('is unsure at the first wrong byte, without asking for more', () => {
  for (const text of [
    'GET x',
    'GET /\x00',
    'GET / X',
    'GET / HTTP/1.1\n',
    'GET / HTTP/1.1\r\n ',
    'GET / HTTP/1.1\r\na ',
    'GET / HTTP/1.1\r\na: \x00',
    'GET / HTTP/1.1\r\na: b\n',
    'GET / HTTP/1.1\r\na: b\rc',
    'GET / HTTP/1.1\r\nHost: a\r\n\rx',
    'GET / HTTP/1.1\r\nExpect:\r\n'
  ]) {
    assert.equal(scan(text).result, UNSURE, JSON.stringify(text))
    assert.equal(scan(text.slice(0, -1)).result, PARTIAL, JSON.stringify(text))
  }
})

test('is complete exactly where a plain reading of the rules says so', () => {
  let complete = 0
  let runs = 0
  fc.assert(
    fc.property(streams(), (text) => {
      const scanned = scan(text)
      const plain = plainReading(text)
      runs++
      if (scanned.result === COMPLETE) complete++
      assert.deepEqual(scanned.result === COMPLETE ? scanned : null, plain)
    }),
    { numRuns: 5000 }
  )
  assert.ok(complete > runs / 20 && complete < runs, `${complete} of ${runs} were complete`)
})

test('never takes back a word when more bytes come', () => {
  fc.assert(
    fc.property(streams(), (text) => {
      let settled: ScanResult = PARTIAL
      for (let length = 0; length <= text.length; length++) {
        const { result } = scan(text.slice(0, length))
        if (settled !== PARTIAL) assert.equal(result, settled, JSON.stringify(text.slice(0, length)))
        settled = result
      }
    }),
    { numRuns: 500 }
  )
})

test('reads any bytes without an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(200), (bytes, a, b) => {
      const start = Math.min(a, b, bytes.length)
      const limit = Math.min(Math.max(a, b), bytes.length)
      const result = scanHead(bytes, start, limit, new RequestHead())
      assert.ok(result === COMPLETE || result === PARTIAL || result === UNSURE)
    }),
    { numRuns: 2000 }
  )
})

interface Scan {
  readonly result: ScanResult
  readonly method: string
  readonly path: string
  readonly target: string
  readonly headers: string
  readonly end: number
  readonly close: boolean
}

function scan(text: string): Scan {
  const bytes = Buffer.from(text, 'latin1')
  const head = new RequestHead()
  const result = scanHead(bytes, 0, bytes.length, head)
  return {
    result,
    method: head.method,
    path: bytes.toString('latin1', head.targetStart, head.pathEnd),
    target: bytes.toString('latin1', head.targetStart, head.targetEnd),
    headers: bytes.toString('latin1', head.headersStart, head.end),
    end: head.end,
    close: head.close
  }
}

/** Ends a request line. */
const HOST_END = '\r\nHost: a\r\n\r\n'

function withLine(line: string): string {
  return `GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`
}

/** One rule: heads that the fast lane may answer, and heads that it must not. */
function describeRule(
  name: string,
  wrap: (part: string) => string,
  parts: { readonly complete: readonly string[]; readonly unsure: readonly string[] }
): void {
  test(name, () => {
    for (const part of parts.complete) {
      const text = wrap(part)
      const { result, end } = scan(text)
      assert.deepEqual([result, end], [COMPLETE, text.length], JSON.stringify(text))
    }
    for (const part of parts.unsure) {
      const text = wrap(part)
      assert.equal(scan(text).result, UNSURE, JSON.stringify(text))
    }
  })
}

const TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
const PCHARS = "[A-Za-z0-9._~!$&'()*+,;=:@/%-]*"
const REQUEST_LINE = new RegExp(`^(GET|HEAD|OPTIONS) ((/${PCHARS})(?:\\?[?${PCHARS.slice(1)})?) HTTP/1\\.1$`)
// oxlint-disable-next-line no-control-regex -- control characters are what the rule is about
const HEADER_LINE = new RegExp(`^(${TOKEN}):[\\t ]*([\\t\\x20-\\x7e\\x80-\\xff]*)$`)
const FORBIDDEN = /^(?:content-length|transfer-encoding|expect|upgrade|proxy-connection)$/

/** The rules once more, as plainly as possible: what a complete head says, or null. */
function plainReading(text: string): Scan | null {
  const end = text.indexOf('\r\n\r\n') + 4
  if (end === 3 || end > 8192) return null
  const [first = '', ...lines] = text.slice(0, end - 4).split('\r\n')
  const [, method = '', target = '', path = ''] = REQUEST_LINE.exec(first) ?? []
  if (method === '' || lines.length > 200) return null

  const fields = lines.map((line) => HEADER_LINE.exec(line))
  if (fields.includes(null)) return null
  const values = (wanted: string): string[] =>
    fields.filter((field) => field![1]!.toLowerCase() === wanted).map((field) => field![2]!)
  const hosts = values('host')
  if (hosts.length !== 1 || !/^[A-Za-z0-9._-]+(?::[0-9]{1,5})?$/.test(hosts[0]!)) return null
  const connections = values('connection').map((value) => value.toLowerCase())
  if (connections.length > 1 || !['close', 'keep-alive'].includes(connections[0] ?? 'close')) return null
  if (fields.some((field) => FORBIDDEN.test(field![1]!.toLowerCase()))) return null
  if (method === 'OPTIONS' && values('content-type').length > 0) return null

  return {
    result: COMPLETE,
    method,
    path,
    target,
    headers: text.slice(first.length + 2, end),
    end,
    close: connections[0] === 'close'
  }
}

/** Heads, heads with a few bytes changed, and loose pieces of heads. */
function streams(): fc.Arbitrary<string> {
  const oneOf = fc.constantFrom
  const line = fc.oneof(
    { weight: 3, arbitrary: oneOf('Accept: */*', 'Cookie: a=b', 'x:', 'Content-Type: a/b', 'A: \t\x80 ') },
    { weight: 1, arbitrary: oneOf('Connection: close', 'connection: Keep-Alive', 'Connection: upgrade') },
    {
      weight: 1,
      arbitrary: oneOf('Content-Length: 0', 'Expect: x', 'Upgrade: x', 'Host: b', ' x: y', 'x : y')
    }
  )
  const host = oneOf('Host: a', 'host:example.com:80', 'HOST: \t127.0.0.1')
  const head = fc
    .record({
      method: oneOf('GET', 'HEAD', 'OPTIONS', 'GET', 'GET', 'POST'),
      target: oneOf('/', '/json', '/a?b=c', '/?', '/a%20b/../', '//', '*', 'http://a/'),
      version: oneOf('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
      before: fc.array(line, { maxLength: 2 }),
      host,
      after: fc.array(line, { maxLength: 2 }),
      rest: oneOf('', PLAIN, '\r\n', 'x')
    })
    .map(
      ({ method, target, version, before, host, after, rest }) =>
        `${method} ${target} ${version}\r\n${[...before, host, ...after].join('\r\n')}\r\n\r\n${rest}`
    )
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    oneOf('\r', '\n', ' ', '\t', ':', '\r\n', '?', '/', '\x00', ',')
  )
  const change = fc.record({ at: fc.nat(120), remove: fc.nat(2), insert: fc.oneof(fc.constant(''), byte) })
  const changed = fc
    .tuple(head, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) =>
      changes.reduce(
        (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
        text
      )
    )
  const pieces = oneOf(
    'GET',
    'HEAD',
    ' ',
    '/',
    '?',
    'HTTP/1.1',
    '\r\n',
    '\r',
    '\n',
    'Host',
    ':',
    'a',
    ',',
    '\t'
  )
  return fc.oneof(
    { weight: 2, arbitrary: head },
    { weight: 4, arbitrary: changed },
    { weight: 1, arbitrary: fc.array(pieces, { maxLength: 20 }).map((all) => all.join('')) }
  )
}
