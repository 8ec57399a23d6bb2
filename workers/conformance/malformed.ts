import type { ConformanceCase } from './case.ts'
import { cases, chunkedPost, host, advice, may, must, should, unscored } from './case.ts'
import { answers, rejectOrIgnore, rejectOrServe, rejectSize } from './expectations.ts'

/** Routes and names that decode to something else: 400 is best, serving or not finding them is allowed. */
const odd = answers({ pass: [400], warn: ['2xx', '3xx', '4xx'], closed: 'pass', silent: 'fail' })

/** Bytes that are no HTTP message, and messages past any sensible limit. */
export const malformed: readonly ConformanceCase[] = cases('malformed', [
  should('MAL-BINARY-GARBAGE', '', rejectOrIgnore, garbage(256)),
  advice('MAL-INCOMPLETE-REQUEST', '', rejectOrIgnore, `GET / HTTP/1.1\r\n${host}X-Test: value`),
  advice('MAL-EMPTY-REQUEST', '', rejectOrIgnore, ''),
  advice('MAL-WHITESPACE-ONLY-LINE', '', rejectOrIgnore, '   \r\n\r\n'),
  advice(
    'MAL-H2-PREFACE',
    '',
    answers({ pass: [400, 505], closed: 'pass', silent: 'pass' }),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  ),

  // Sizes
  should(
    'MAL-LONG-URL',
    '',
    answers({ pass: [400, 414, 431], closed: 'pass', silent: 'fail' }),
    `GET /${'A'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`
  ),
  should(
    'MAL-LONG-METHOD',
    '',
    answers({ pass: [400], closed: 'pass', silent: 'fail' }),
    `${'A'.repeat(100_000)} / HTTP/1.1\r\n${host}\r\n`
  ),
  should(
    'MAL-LONG-HEADER-NAME',
    '',
    rejectSize,
    `GET / HTTP/1.1\r\n${host}${'A'.repeat(100_000)}: val\r\n\r\n`
  ),
  should(
    'MAL-LONG-HEADER-VALUE',
    '',
    rejectSize,
    `GET / HTTP/1.1\r\n${host}X-Big: ${'B'.repeat(100_000)}\r\n\r\n`
  ),
  advice(
    'MAL-MANY-HEADERS',
    '',
    rejectSize,
    `GET / HTTP/1.1\r\n${host}${Array.from({ length: 10_000 }, (_, index) => `X-H-${index}: value\r\n`).join('')}\r\n`
  ),
  advice(
    'MAL-CHUNK-EXT-64K',
    '',
    answers({ pass: [400, 431], warn: ['2xx'], closed: 'pass', silent: 'fail' }),
    `${chunkedPost}5;ext=${'a'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`
  ),
  unscored(
    advice(
      'MAL-RANGE-OVERLAPPING',
      '',
      answers({ warn: [200, 206, 400, 416, 431], closed: 'pass', silent: 'fail' }),
      `GET / HTTP/1.1\r\n${host}Range: bytes=${Array.from({ length: 1000 }, () => '0-').join(',')}\r\n\r\n`
    )
  ),

  // Bytes that have no place in a field or a target
  must('MAL-NUL-IN-URL', '', rejectOrIgnore, `GET /\0test HTTP/1.1\r\n${host}\r\n`),
  must('MAL-NON-ASCII-URL', '', rejectOrIgnore, `GET /caf\xc3\xa9 HTTP/1.1\r\n${host}\r\n`),
  must('MAL-URL-OVERLONG-UTF8', '', rejectOrIgnore, `GET /\xc0\xaf HTTP/1.1\r\n${host}\r\n`),
  should('MAL-URL-BACKSLASH', '', odd, `GET /path\\file HTTP/1.1\r\n${host}\r\n`),
  advice('MAL-URL-PERCENT-NULL', '', odd, `GET /path%00.html HTTP/1.1\r\n${host}\r\n`),
  advice('MAL-URL-PERCENT-CRLF', '', odd, `GET /path%0d%0aX-Injected:%20true HTTP/1.1\r\n${host}\r\n`),
  must(
    'MAL-NON-ASCII-HEADER-NAME',
    '',
    rejectOrIgnore,
    `GET / HTTP/1.1\r\n${host}X-T\xc3\xabst: value\r\n\r\n`
  ),
  must('MAL-NUL-IN-HEADER-VALUE', '', rejectOrIgnore, `GET / HTTP/1.1\r\n${host}X-Test: val\0ue\r\n\r\n`),
  must(
    'MAL-CONTROL-CHARS-HEADER',
    '',
    rejectOrIgnore,
    `GET / HTTP/1.1\r\n${host}X-Test: abc\x07\x08\x0bdef\r\n\r\n`
  ),

  // Lengths
  must(
    'MAL-CL-OVERFLOW',
    '',
    rejectOrIgnore,
    `POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\n`
  ),
  must(
    'MAL-CL-EMPTY',
    '9110 section 8.6',
    rejectOrIgnore,
    `POST / HTTP/1.1\r\n${host}Content-Length: \r\n\r\n`
  ),
  may(
    'MAL-CL-TAB-BEFORE-VALUE',
    '9110 section 5.5',
    rejectOrServe,
    `POST / HTTP/1.1\r\n${host}Content-Length:\t5\r\n\r\nhello`
  ),
  must(
    'MAL-CHUNK-SIZE-OVERFLOW',
    '',
    rejectOrIgnore,
    `${chunkedPost}FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n`
  ),
  must(
    'MAL-POST-CL-HUGE-NO-BODY',
    '',
    answers({ pass: [400, 413], closed: 'pass', silent: 'pass' }),
    `POST / HTTP/1.1\r\n${host}Content-Length: 999999999\r\n\r\n`
  )
])

/** The same bytes on every run, by the linear congruential generator of Numerical Recipes. */
function garbage(length: number): string {
  let state = 42
  const bytes = Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  })
  return String.fromCharCode(...bytes)
}
