import type { ConformanceCase, Expectation } from './case.ts'
import { cases, chunkedPost, host, may, must, ought, should, unscored } from './case.ts'
import {
  answers,
  first,
  isSuccess,
  rejectCoding,
  rejectOrIgnore,
  rejectOrServe,
  rejectOrServeAndClose
} from './expectations.ts'

/** Both lengths present: refused or hung up on is best, served is allowed. */
const rejectOrCloseOrServe: Expectation = first(({ reply, connection }) => {
  if (reply?.status === 400 || connection === 'closed') return 'pass'
  return reply !== null && isSuccess(reply) ? 'warn' : 'fail'
})

const smuggledBody = 'D\r\nhello-bananas\r\n0\r\n\r\n'

/** Messages whose length two servers in a row could read differently. */
export const smuggling: readonly ConformanceCase[] = cases('smuggling', [
  // Content-Length
  must(
    'SMUG-DUPLICATE-CL',
    '9110 section 8.6',
    rejectOrIgnore,
    withLength('5\r\nContent-Length: 10', 'helloworld')
  ),
  must('SMUG-CL-COMMA-DIFFERENT', '9110 section 8.6', rejectOrIgnore, withLength('5, 10')),
  unscored(must('SMUG-CL-COMMA-SAME', '9110 section 8.6', rejectOrServe, withLength('5, 5'))),
  unscored(must('SMUG-CL-COMMA-TRIPLE', '9110 section 8.6', rejectOrServe, withLength('5, 5, 5'))),
  must('SMUG-CL-NEGATIVE', '9110 section 8.6', rejectOrIgnore, withLength('-1', '')),
  must('SMUG-CL-NEGATIVE-ZERO', '9110 section 8.6', rejectOrIgnore, withLength('-0', '')),
  must('SMUG-CL-OCTAL', '9110 section 8.6', rejectOrIgnore, withLength('0o5')),
  must('SMUG-CL-HEX-PREFIX', '9110 section 8.6', rejectOrIgnore, withLength('0x5')),
  must('SMUG-CL-UNDERSCORE', '9110 section 8.6', rejectOrIgnore, withLength('1_0', 'helloworld')),
  must('SMUG-CL-INTERNAL-SPACE', '9110 section 8.6', rejectOrIgnore, withLength('1 0', 'hello12345')),
  should('SMUG-CL-LEADING-ZEROS', '9110 section 8.6', rejectOrServe, withLength('005')),
  should(
    'SMUG-CL-LEADING-ZEROS-OCTAL',
    '9110 section 8.6',
    rejectOrServe,
    withLength('0200', 'A'.repeat(200))
  ),
  should('SMUG-CL-DOUBLE-ZERO', '9110 section 8.6', rejectOrServe, withLength('00', '')),
  should('SMUG-CL-TRAILING-SPACE', '9110 section 5.5', rejectOrServe, withLength('5 ')),
  should('SMUG-CL-EXTRA-LEADING-SP', '9110 section 5.5', rejectOrServe, withLength(' 5')),

  // Content-Length and Transfer-Encoding together
  ought(
    'SMUG-CL-TE-BOTH',
    '9112 section 6.1',
    rejectOrServe,
    post(`Content-Length: ${smuggledBody.length}\r\nTransfer-Encoding: chunked`, smuggledBody)
  ),
  may(
    'SMUG-CLTE-PIPELINE',
    '9112 section 6.1',
    rejectOrCloseOrServe,
    post('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n')
  ),
  may(
    'SMUG-TECL-PIPELINE',
    '9112 section 6.1',
    rejectOrCloseOrServe,
    post('Transfer-Encoding: chunked\r\nContent-Length: 30', '0\r\n\r\n')
  ),

  // Transfer-Encoding
  must('SMUG-TE-XCHUNKED', '9112 section 6.1', rejectCoding, withCoding(' xchunked')),
  must('SMUG-TE-IDENTITY', '9112 section 7', rejectCoding, withCoding(' identity')),
  must('SMUG-TE-EMPTY-VALUE', '9112 section 6.1', rejectOrIgnore, withCoding(' ')),
  must('SMUG-TE-VTAB', '9112 section 6.1', rejectOrIgnore, withCoding(' \x0bchunked')),
  must('SMUG-TE-FORMFEED', '9112 section 6.1', rejectOrIgnore, withCoding(' \x0cchunked')),
  must('SMUG-TE-NULL', '9112 section 6.1', rejectOrIgnore, withCoding(' chunked\0')),
  must(
    'SMUG-TE-TRAILING-SPACE',
    '9112 section 6.1',
    rejectOrServeAndClose(400, 501),
    withCoding(' chunked ')
  ),
  must('SMUG-TE-OBS-FOLD', '9112 section 5.2', rejectOrServeAndClose(400), withCoding('\r\n chunked')),
  must(
    'SMUG-TE-SP-BEFORE-COLON',
    '9112 section 5.1',
    rejectOrIgnore,
    post('Transfer-Encoding : chunked\r\nContent-Length: 5', 'hello')
  ),
  must(
    'SMUG-TE-DUPLICATE-HEADERS',
    '9112 section 6.1',
    rejectOrIgnore,
    withCoding(' chunked\r\nTransfer-Encoding: identity')
  ),
  must(
    'SMUG-TE-HTTP10',
    '9112 section 6.1',
    rejectOrIgnore,
    `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello`
  ),
  must(
    'SMUG-TE-NOT-FINAL-CHUNKED',
    '9112 section 6.3',
    rejectOrIgnore,
    post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n')
  ),
  should('SMUG-TE-DOUBLE-CHUNKED', '9112 section 6.1', rejectOrServe, withCoding(' chunked, chunked')),
  should('SMUG-TE-CASE-MISMATCH', '9112 section 6.1', rejectOrServe, withCoding(' Chunked')),
  should('SMUG-TE-LEADING-COMMA', '9110 section 5.6.1', rejectOrServe, withCoding(' , chunked')),
  should('SMUG-TE-TRAILING-COMMA', '9110 section 5.6.1', rejectOrServe, withCoding(' chunked,')),
  unscored(must('SMUG-TE-TAB-BEFORE-VALUE', '9110 section 5.5', rejectOrServe, withCoding('\tchunked'))),
  unscored(must('SMUG-CHUNKED-WITH-PARAMS', '9112 section 7', rejectOrServe, withCoding(' chunked;ext=val'))),
  unscored(
    must(
      'SMUG-TRANSFER_ENCODING',
      '9112 section 6.1',
      rejectOrServe,
      post('Transfer_Encoding: chunked\r\nContent-Length: 5', 'hello')
    )
  ),

  // Chunk sizes
  must('SMUG-CHUNK-HEX-PREFIX', '9112 section 7.1', rejectOrIgnore, chunk('0x5')),
  must('SMUG-CHUNK-SIZE-PLUS', '9112 section 7.1', rejectOrIgnore, chunk('+5')),
  must('SMUG-CHUNK-SIZE-TRAILING-OWS', '9112 section 7.1', rejectOrIgnore, chunk('5 ')),
  must('SMUG-CHUNK-LEADING-SP', '9112 section 7.1', rejectOrIgnore, chunk(' 5')),
  must('SMUG-CHUNK-NEGATIVE', '9112 section 7.1', rejectOrIgnore, chunk('-1')),
  must('SMUG-CHUNK-UNDERSCORE', '9112 section 7.1', rejectOrIgnore, chunk('1_0', 'hello world!!!!!')),
  must('SMUG-CHUNK-SPILL', '9112 section 7.1', rejectOrIgnore, chunk('5', 'hello!!')),
  must('SMUG-CHUNK-BARE-CR-TERM', '9112 section 2.2', rejectOrIgnore, `${chunkedPost}5\rhello\r\n0\r\n\r\n`),
  must(
    'SMUG-CHUNK-MISSING-TRAILING-CRLF',
    '9112 section 7.1',
    rejectOrIgnore,
    `${chunkedPost}5\r\nhello0\r\n\r\n`
  ),
  may('SMUG-CHUNK-LF-TERM', '9112 section 7.1', rejectOrServe, `${chunkedPost}5\r\nhello\n0\r\n\r\n`),
  may('SMUG-CHUNK-LF-TRAILER', '9112 section 7.1', rejectOrServe, `${chunkedPost}5\r\nhello\r\n0\r\n\n`),

  // Chunk extensions
  must('SMUG-CHUNK-BARE-SEMICOLON', '9112 section 7.1.1', rejectOrIgnore, chunk('5;')),
  must('SMUG-CHUNK-EXT-INVALID-TOKEN', '9112 section 7.1.1', rejectOrIgnore, chunk('5;bad[=x')),
  must('SMUG-CHUNK-EXT-CTRL', '9112 section 7.1.1', rejectOrIgnore, chunk('5;\0ext')),
  must('SMUG-CHUNK-EXT-CR', '9112 section 7.1.1', rejectOrIgnore, chunk('5;a\rX')),
  may('SMUG-CHUNK-EXT-LF', '9112 section 7.1.1', rejectOrServe, `${chunkedPost}5;\nhello\r\n0\r\n\r\n`),

  // Trailers
  unscored(must('SMUG-TRAILER-CL', '9110 section 6.5.1', rejectOrServe, trailer('Content-Length: 50'))),
  unscored(
    must('SMUG-TRAILER-TE', '9110 section 6.5.1', rejectOrServe, trailer('Transfer-Encoding: chunked'))
  ),
  unscored(must('SMUG-TRAILER-HOST', '9110 section 6.5.2', rejectOrServe, trailer('Host: evil.example.com'))),
  unscored(
    must('SMUG-TRAILER-AUTH', '9110 section 6.5.1', rejectOrServe, trailer('Authorization: Bearer evil'))
  ),
  unscored(
    must('SMUG-TRAILER-CONTENT-TYPE', '9110 section 6.5.1', rejectOrServe, trailer('Content-Type: text/evil'))
  ),

  // Who the request is for, and bodies where none is expected
  must(
    'SMUG-MULTIPLE-HOST-COMMA',
    '9110 section 7.2',
    rejectOrIgnore,
    'GET / HTTP/1.1\r\nHost: localhost:8080, other.example.com\r\n\r\n'
  ),
  unscored(
    must(
      'SMUG-ABSOLUTE-URI-HOST-MISMATCH',
      '9112 section 3.2.2',
      rejectOrServe,
      `GET http://other.example.com/ HTTP/1.1\r\n${host}\r\n`
    )
  ),
  must(
    'SMUG-BARE-CR-HEADER-VALUE',
    '9112 section 2.2',
    rejectOrIgnore,
    post('Content-Length: 5\r\nX-Test: val\rue', 'hello')
  ),
  unscored(
    must(
      'SMUG-EXPECT-100-CL',
      '9110 section 10.1.1',
      answers({ pass: [400], warn: [100, '2xx'], closed: 'pass', silent: 'fail' }),
      post('Content-Length: 5\r\nExpect: 100-continue', 'hello')
    )
  ),
  unscored(
    must(
      'SMUG-HEAD-CL-BODY',
      '9110 section 9.3.2',
      rejectOrServe,
      `HEAD / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`
    )
  ),
  unscored(
    must(
      'SMUG-OPTIONS-CL-BODY',
      '9110 section 9.3.7',
      answers({ pass: [400, 405], warn: ['2xx'], closed: 'pass', silent: 'fail' }),
      `OPTIONS / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`
    )
  )
])

function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\n${host}${fields}\r\n\r\n${body}`
}

function withLength(value: string, body = 'hello'): string {
  return post(`Content-Length: ${value}`, body)
}

/** A coding beside a length that fits the body, so the answer tells which of the two was believed. */
function withCoding(afterColon: string): string {
  return post(`Transfer-Encoding:${afterColon}\r\nContent-Length: 5`, 'hello')
}

function chunk(sizeLine: string, data = 'hello'): string {
  return `${chunkedPost}${sizeLine}\r\n${data}\r\n0\r\n\r\n`
}

function trailer(field: string): string {
  return `${chunkedPost}5\r\nhello\r\n0\r\n${field}\r\n\r\n`
}
