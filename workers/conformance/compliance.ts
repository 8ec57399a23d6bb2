import type { ConformanceCase } from './case.ts'
import { cases, chunkedPost, get, host, advice, may, must, should, unscored } from './case.ts'
import {
  answers,
  bodyIs,
  echoes,
  first,
  isSuccess,
  reject,
  rejectAloud,
  rejectAloudOrServe,
  rejectCoding,
  rejectOrIgnore,
  rejectOrServe,
  serve,
  served,
  servedWith,
  serveOrIgnore
} from './expectations.ts'

/** RFC 9110 and 9112: request line, fields, bodies, methods, and what every response owes its reader. */
export const compliance: readonly ConformanceCase[] = cases('compliance', [
  advice('COMP-BASELINE', '', serve, get),

  // Lines and their ends
  may('RFC9112-2.2-BARE-LF-REQUEST-LINE', '9112 section 2.2', rejectOrServe, `GET / HTTP/1.1\n${host}\r\n`),
  may(
    'RFC9112-2.2-BARE-LF-HEADER',
    '9112 section 2.2',
    rejectOrServe,
    'GET / HTTP/1.1\r\nHost: localhost:8080\nX-Test: value\r\n\r\n'
  ),
  must('RFC9112-3-CR-ONLY-LINE-ENDING', '9112 section 2.2', rejectAloud, `GET / HTTP/1.1\r${host}\r\n`),
  should('COMP-LEADING-CRLF', '9112 section 2.2', rejectAloudOrServe, `\r\n\r\n${get}`),
  must(
    'COMP-WHITESPACE-BEFORE-HEADERS',
    '9112 section 2.2',
    rejectOrIgnore,
    `GET / HTTP/1.1\r\n \r\n${host}\r\n`
  ),

  // Request line
  should(
    'RFC9112-3-MULTI-SP-REQUEST-LINE',
    '9112 section 3',
    rejectAloudOrServe,
    `GET  / HTTP/1.1\r\n${host}\r\n`
  ),
  should('COMP-REQUEST-LINE-TAB', '9112 section 3', rejectAloudOrServe, `GET\t/ HTTP/1.1\r\n${host}\r\n`),
  must('RFC9112-3-MISSING-TARGET', '9112 section 3', rejectAloud, `GET HTTP/1.1\r\n${host}\r\n`),
  must('COMP-SPACE-IN-TARGET', '9112 section 3.2', rejectAloud, `GET /pa th HTTP/1.1\r\n${host}\r\n`),
  should(
    'RFC9112-3.2-FRAGMENT-IN-TARGET',
    '9112 section 3.2',
    answers({ pass: [400], warn: [404, '2xx'], closed: 'warn', silent: 'warn' }),
    `GET /path#frag HTTP/1.1\r\n${host}\r\n`
  ),
  should(
    'COMP-LONG-URL-OK',
    '9112 section 3',
    answers({ fail: [414], other: 'pass', closed: 'warn', silent: 'warn' }),
    `GET /${'a'.repeat(7900)} HTTP/1.1\r\n${host}\r\n`
  ),
  must('COMP-ASTERISK-WITH-GET', '9112 section 3.2.4', rejectAloud, `GET * HTTP/1.1\r\n${host}\r\n`),
  must(
    'COMP-OPTIONS-STAR',
    '9112 section 3.2.4',
    answers({ pass: ['2xx', 405], closed: 'warn', silent: 'warn' }),
    `OPTIONS * HTTP/1.1\r\n${host}\r\n`
  ),
  unscored(
    should(
      'COMP-ABSOLUTE-FORM',
      '9112 section 3.2.2',
      answers({ pass: ['2xx'], warn: [400], closed: 'warn', silent: 'warn' }),
      `GET http://localhost:8080/ HTTP/1.1\r\n${host}\r\n`
    )
  ),

  // Version
  should(
    'RFC9112-2.3-INVALID-VERSION',
    '9112 section 2.3',
    answers({ pass: [400, 505], closed: 'warn', silent: 'warn' }),
    `GET / HTTP/9.9\r\n${host}\r\n`
  ),
  should('RFC9112-2.3-HTTP09-REQUEST', '9112 section 2.3', rejectOrIgnore, 'GET /\r\n'),
  must('COMP-VERSION-MISSING-MINOR', '9112 section 2.3', rejectAloud, `GET / HTTP/1\r\n${host}\r\n`),
  must('COMP-VERSION-LEADING-ZEROS', '9112 section 2.3', rejectAloud, `GET / HTTP/01.01\r\n${host}\r\n`),
  must('COMP-VERSION-WHITESPACE', '9112 section 2.3', rejectAloud, `GET / HTTP/ 1.1\r\n${host}\r\n`),
  must('COMP-VERSION-CASE', '9112 section 2.3', rejectAloud, `GET / http/1.1\r\n${host}\r\n`),
  unscored(
    may(
      'COMP-HTTP12-VERSION',
      '9112 section 2.3',
      answers({ warn: ['2xx', 505], closed: 'pass', silent: 'fail' }),
      `GET / HTTP/1.2\r\n${host}\r\n`
    )
  ),

  // Host
  must('RFC9112-7.1-MISSING-HOST', '9112 section 3.2', reject, 'GET / HTTP/1.1\r\n\r\n'),
  must(
    'RFC9110-5.4-DUPLICATE-HOST',
    '9112 section 3.2',
    reject,
    `GET / HTTP/1.1\r\n${host}Host: other.example.com\r\n\r\n`
  ),
  must('COMP-DUPLICATE-HOST-SAME', '9112 section 3.2', reject, `GET / HTTP/1.1\r\n${host}${host}\r\n`),
  must(
    'COMP-HOST-WITH-USERINFO',
    '9112 section 3.2',
    rejectOrIgnore,
    'GET / HTTP/1.1\r\nHost: user@localhost:8080\r\n\r\n'
  ),
  must(
    'COMP-HOST-WITH-PATH',
    '9112 section 3.2',
    rejectOrIgnore,
    'GET / HTTP/1.1\r\nHost: localhost:8080/path\r\n\r\n'
  ),
  must('COMP-HOST-EMPTY-VALUE', '9112 section 3.2', rejectOrIgnore, 'GET / HTTP/1.1\r\nHost: \r\n\r\n'),
  unscored(
    may(
      'COMP-HTTP10-NO-HOST',
      '9112 section 3.2',
      answers({ pass: [400], warn: ['2xx'], closed: 'pass', silent: 'fail' }),
      'GET / HTTP/1.0\r\n\r\n'
    )
  ),

  // Fields
  must(
    'RFC9112-5.1-OBS-FOLD',
    '9112 section 5.2',
    reject,
    `GET / HTTP/1.1\r\n${host}X-Test: value\r\n continued\r\n\r\n`
  ),
  must(
    'RFC9110-5.6.2-SP-BEFORE-COLON',
    '9112 section 5.1',
    reject,
    `GET / HTTP/1.1\r\n${host}X-Test : value\r\n\r\n`
  ),
  must(
    'RFC9112-5-EMPTY-HEADER-NAME',
    '9112 section 5',
    rejectOrIgnore,
    `GET / HTTP/1.1\r\n${host}: empty-name\r\n\r\n`
  ),
  must(
    'RFC9112-5-INVALID-HEADER-NAME',
    '9112 section 5',
    rejectOrIgnore,
    `GET / HTTP/1.1\r\n${host}Bad[Name: value\r\n\r\n`
  ),
  must(
    'RFC9112-5-HEADER-NO-COLON',
    '9112 section 5',
    rejectOrIgnore,
    `GET / HTTP/1.1\r\n${host}NoColonHere\r\n\r\n`
  ),
  should(
    'COMP-DUPLICATE-CT',
    '9110 section 5.3',
    rejectOrServe,
    `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nhello`
  ),
  may(
    'COMP-EXPECT-UNKNOWN',
    '9110 section 10.1.1',
    answers({ pass: [417], warn: ['2xx'], closed: 'pass', silent: 'fail' }),
    `GET / HTTP/1.1\r\n${host}Expect: 200-ok\r\n\r\n`
  ),
  unscored(
    should(
      'COMP-ACCEPT-NONSENSE',
      '9110 section 12.5.1',
      answers({ pass: [406], warn: ['2xx'], closed: 'warn', silent: 'fail' }),
      `GET / HTTP/1.1\r\n${host}Accept: application/x-nonsense\r\n\r\n`
    )
  ),

  // Bodies
  must(
    'RFC9112-6.1-CL-NON-NUMERIC',
    '9112 section 6.1',
    rejectOrIgnore,
    `POST / HTTP/1.1\r\n${host}Content-Length: abc\r\n\r\n`
  ),
  must(
    'RFC9112-6.1-CL-PLUS-SIGN',
    '9112 section 6.1',
    rejectOrIgnore,
    `POST / HTTP/1.1\r\n${host}Content-Length: +5\r\n\r\nhello`
  ),
  must(
    'COMP-POST-CL-BODY',
    '9112 section 6.2',
    echoes('hello'),
    `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`
  ),
  must(
    'COMP-POST-CL-ZERO',
    '9112 section 6.2',
    serveOrIgnore,
    `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`
  ),
  must('COMP-POST-NO-CL-NO-TE', '9112 section 6.3', serveOrIgnore, `POST / HTTP/1.1\r\n${host}\r\n`),
  must(
    'COMP-POST-CL-UNDERSEND',
    '9112 section 6.2',
    rejectOrIgnore,
    `POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nhello`
  ),
  must('COMP-CHUNKED-BODY', '9112 section 7.1', echoes('hello'), `${chunkedPost}5\r\nhello\r\n0\r\n\r\n`),
  must(
    'COMP-CHUNKED-MULTI',
    '9112 section 7.1',
    echoes('hello world'),
    `${chunkedPost}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`
  ),
  must('COMP-CHUNKED-EMPTY', '9112 section 7.1', serveOrIgnore, `${chunkedPost}0\r\n\r\n`),
  must('COMP-CHUNKED-NO-FINAL', '9112 section 7.1', rejectOrIgnore, `${chunkedPost}5\r\nhello\r\n`),
  must(
    'COMP-CHUNKED-EXTENSION',
    '9112 section 7.1.1',
    first(({ reply, connection }) => {
      if (reply === null) return connection === 'closed' ? 'warn' : 'fail'
      if (reply.status === 400) return 'warn'
      return isSuccess(reply) && bodyIs(reply, 'hello') ? 'pass' : 'fail'
    }),
    `${chunkedPost}5;ext=value\r\nhello\r\n0\r\n\r\n`
  ),
  must(
    'COMP-CHUNKED-TRAILER-VALID',
    '9112 section 7.1.2',
    echoes('hello'),
    `${chunkedPost}5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n`
  ),
  must(
    'COMP-CHUNKED-HEX-UPPERCASE',
    '9112 section 7.1',
    echoes('helloworld'),
    `${chunkedPost}A\r\nhelloworld\r\n0\r\n\r\n`
  ),
  must(
    'COMP-UNKNOWN-TE-501',
    '9112 section 6.1',
    rejectCoding,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`
  ),
  unscored(
    may(
      'COMP-GET-WITH-CL-BODY',
      '9110 section 9.3.1',
      answers({ pass: [400], other: 'warn', closed: 'pass', silent: 'fail' }),
      `GET / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`
    )
  ),
  unscored(
    may(
      'COMP-POST-UNSUPPORTED-CT',
      '9110 section 15.5.16',
      answers({ pass: ['2xx', 415], other: 'warn', closed: 'warn', silent: 'fail' }),
      `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Type: application/x-nonsense\r\n\r\nhello`
    )
  ),

  // Methods
  should(
    'COMP-METHOD-CASE',
    '9110 section 9.1',
    answers({ pass: [400, 405, 501], warn: ['2xx'], closed: 'warn', silent: 'warn' }),
    `get / HTTP/1.1\r\n${host}\r\n`
  ),
  should(
    'COMP-UNKNOWN-METHOD',
    '9110 section 9.1',
    answers({ pass: [400, 405, 501], warn: ['2xx'], closed: 'pass', silent: 'fail' }),
    `FOOBAR / HTTP/1.1\r\n${host}\r\n`
  ),
  should(
    'COMP-METHOD-CONNECT',
    '9110 section 9.3.6',
    answers({ pass: [400, 405, 501], closed: 'pass', silent: 'fail' }),
    'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n'
  ),
  unscored(
    should(
      'COMP-METHOD-TRACE',
      '9110 section 9.3.8',
      answers({ pass: [405, 501], warn: ['2xx'], closed: 'pass', silent: 'fail' }),
      `TRACE / HTTP/1.1\r\n${host}\r\n`
    )
  ),
  unscored(
    should(
      'COMP-TRACE-WITH-BODY',
      '9110 section 9.3.8',
      answers({ pass: [400, 405, 501], warn: ['2xx'], closed: 'pass', silent: 'fail' }),
      `TRACE / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`
    )
  ),
  unscored(
    should(
      'COMP-TRACE-SENSITIVE',
      '9110 section 9.3.8',
      first(({ reply, connection }) => {
        if (reply === null) return connection === 'closed' ? 'pass' : 'fail'
        if (reply.status === 405 || reply.status === 501) return 'pass'
        if (!isSuccess(reply)) return 'fail'
        return reply.body.toLowerCase().includes('secret-token-123') ? 'warn' : 'pass'
      }),
      `TRACE / HTTP/1.1\r\n${host}Authorization: Bearer secret-token-123\r\n\r\n`
    )
  ),
  must(
    'COMP-HEAD-NO-BODY',
    '9110 section 9.3.2',
    served((reply) => (reply.body === '' ? 'pass' : 'fail')),
    `HEAD / HTTP/1.1\r\n${host}\r\n`
  ),
  should(
    'COMP-OPTIONS-ALLOW',
    '9110 section 9.3.7',
    first(({ reply }) => {
      if (reply === null) return 'fail'
      if (reply.status === 405) return 'pass'
      if (!isSuccess(reply)) return 'fail'
      return reply.headers.has('allow') ? 'pass' : 'warn'
    }),
    `OPTIONS / HTTP/1.1\r\n${host}\r\n`
  ),
  // The probe dropped the next two in July 2026: a server that answers neither 405 nor 204 cannot be judged by them.
  unscored(
    must(
      'COMP-405-ALLOW',
      '9110 section 15.5.6',
      first(({ reply }) => {
        if (reply === null) return 'fail'
        if (reply.status !== 405) return 'warn'
        return reply.headers.has('allow') ? 'pass' : 'fail'
      }),
      `DELETE / HTTP/1.1\r\n${host}\r\n`
    )
  ),
  unscored(
    must(
      'COMP-NO-CL-IN-204',
      '9110 section 8.6',
      first(({ reply }) => {
        if (reply === null) return 'fail'
        if (reply.status !== 204) return 'warn'
        return reply.headers.has('content-length') ? 'fail' : 'pass'
      }),
      `OPTIONS / HTTP/1.1\r\n${host}\r\n`
    )
  ),

  // Ranges
  must(
    'COMP-RANGE-POST',
    '9110 section 14.2',
    answers({ fail: [206], pass: ['2xx'], closed: 'fail', silent: 'fail' }),
    `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nRange: bytes=0-10\r\n\r\nhello`
  ),
  unscored(
    may(
      'COMP-RANGE-INVALID',
      '9110 section 14.2',
      first(({ reply, connection }) => {
        if (reply === null) return connection === 'closed' ? 'warn' : 'fail'
        if (reply.status === 206) return 'warn'
        return isSuccess(reply) || reply.status === 416 ? 'pass' : 'warn'
      }),
      `GET / HTTP/1.1\r\n${host}Range: bytes=abc-xyz\r\n\r\n`
    )
  ),

  // Connection and response
  must(
    'COMP-CONNECTION-CLOSE',
    '9112 section 9.3',
    served((_reply, { connection }) => (connection === 'closed' ? 'pass' : 'fail')),
    `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`
  ),
  should(
    'COMP-HTTP10-DEFAULT-CLOSE',
    '9112 section 9.3',
    served((_reply, { connection }) => (connection === 'closed' ? 'pass' : 'warn')),
    `GET / HTTP/1.0\r\n${host}\r\n`
  ),
  must(
    'COMP-NO-1XX-HTTP10',
    '9110 section 15.2',
    answers({ fail: ['1xx'], other: 'pass', closed: 'pass', silent: 'pass' }),
    `POST / HTTP/1.0\r\n${host}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`
  ),
  must('COMP-DATE-HEADER', '9110 section 6.6.1', servedWith('date', 'fail'), get),
  unscored(
    should(
      'COMP-DATE-FORMAT',
      '9110 section 5.6.7',
      served((reply) => (isFixdate(reply.headers.get('date')) ? 'pass' : 'warn')),
      get
    )
  ),
  should('COMP-CONTENT-TYPE', '9110 section 8.3', servedWith('content-type', 'warn'), get)
])

function isFixdate(value: string | undefined): boolean {
  return value !== undefined && new Date(value).toUTCString() === value
}
