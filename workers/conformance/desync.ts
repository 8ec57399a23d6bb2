import type { ConformanceCase, Exchange, Expectation, Verdict } from './case.ts'
import { cases, chunkedPost, get, host, advice, may, must, should, unscored } from './case.ts'
import { isSuccess } from './expectations.ts'

/** RFC 9112 section 6.1: a server that answers such a message anyway closes the connection after it. */
const refusedOrClosed = followedUp({ refused: [400], second: () => 'fail' })
const oneAnswer: Expectation = ([exchange]) => {
  if (exchange === undefined || statusLines(exchange) > 1) return 'fail'
  return exchange.reply?.status === 400 || exchange.connection === 'closed' ? 'pass' : 'fail'
}

/** Whether bytes left behind by one request become part of the next one on the same connection. */
export const desync: readonly ConformanceCase[] = cases('desync', [
  unscored(
    should(
      'SMUG-PIPELINE-SAFE',
      '9112 section 9.3',
      ([one, two]) => {
        if (!answered(one)) return 'fail'
        return answered(two) ? 'pass' : 'warn'
      },
      get,
      get
    )
  ),

  must(
    'SMUG-CLTE-CONN-CLOSE',
    '9112 section 6.1',
    refusedOrClosed,
    lengthThenCoding('5', 'chunked', '0\r\n\r\n'),
    get
  ),
  must(
    'SMUG-TECL-CONN-CLOSE',
    '9112 section 6.1',
    refusedOrClosed,
    codingThenLength('chunked', '5', '0\r\n\r\n'),
    get
  ),
  must(
    'SMUG-CLTE-DESYNC',
    '9112 section 6.1',
    refusedOrClosed,
    lengthThenCoding('6', 'chunked', '0\r\n\r\nX'),
    get
  ),
  must(
    'SMUG-TECL-DESYNC',
    '9112 section 6.1',
    refusedOrClosed,
    codingThenLength('chunked', '30', '0\r\n\r\nX'),
    get
  ),
  must(
    'SMUG-CHUNK-INVALID-SIZE-DESYNC',
    '9112 section 7.1',
    refusedOrClosed,
    `${chunkedPost}+0\r\n\r\nX`,
    get
  ),
  must(
    'SMUG-OPTIONS-TE-OBS-FOLD',
    '9112 section 5.2',
    followedUp({ refused: [400, 405], second: () => 'fail' }),
    `OPTIONS / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\nhello`,
    get
  ),

  // A whole request inside the body: a second answer means that it was run.
  must('SMUG-CLTE-SMUGGLED-GET', '9112 section 6.1', oneAnswer, carrying(get)),
  must('SMUG-CLTE-SMUGGLED-HEAD', '9112 section 6.1', oneAnswer, carrying(`HEAD / HTTP/1.1\r\n${host}\r\n`)),
  must(
    'SMUG-CLTE-SMUGGLED-GET-CL-PLUS',
    '9112 section 6.1',
    oneAnswer,
    carrying(get, (length) => `+${length}`)
  ),
  must(
    'SMUG-CLTE-SMUGGLED-GET-CL-NON-NUMERIC',
    '9112 section 6.1',
    oneAnswer,
    carrying(get, (length) => `${length}x`)
  ),
  must(
    'SMUG-CLTE-SMUGGLED-GET-TE-TRAILING-SPACE',
    '9112 section 6.1',
    oneAnswer,
    carrying(get, String, 'chunked ')
  ),
  must(
    'SMUG-CLTE-SMUGGLED-GET-TE-LEADING-COMMA',
    '9112 section 6.1',
    oneAnswer,
    carrying(get, String, ', chunked')
  ),
  must(
    'SMUG-CLTE-SMUGGLED-GET-TE-CASE-MISMATCH',
    '9112 section 6.1',
    oneAnswer,
    carrying(get, String, 'Chunked')
  ),
  must(
    'SMUG-CLTE-SMUGGLED-GET-TE-OBS-FOLD',
    '9112 section 5.2',
    oneAnswer,
    codingThenLength('\r\n chunked', String(`0\r\n\r\n${get}`.length), `0\r\n\r\n${get}`)
  ),
  must(
    'SMUG-TE-DUPLICATE-HEADERS-SMUGGLED-GET',
    '9112 section 6.1',
    oneAnswer,
    codingThenLength(
      'chunked\r\nTransfer-Encoding: identity',
      String(`0\r\n\r\n${get}`.length),
      `0\r\n\r\n${get}`
    )
  ),
  must('SMUG-TECL-SMUGGLED-GET', '9112 section 6.1', oneAnswer, hiddenBehindChunkSize()),
  must(
    'SMUG-DUPLICATE-CL-SMUGGLED-GET',
    '9110 section 8.6',
    oneAnswer,
    `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: ${4 + get.length}\r\n\r\nPING${get}`
  ),

  // Bodies that servers tend to leave unread
  unscored(
    may(
      'SMUG-GET-CL-PREFIX-DESYNC',
      '9110 section 9.3.1',
      followedUp({ refused: [400], second: prefixVerdict, other: 'warn' }),
      withBody('GET', `GET / HTTP/1.1\r\n${host}`),
      `\r\n${get}`
    )
  ),
  unscored(
    may(
      'SMUG-GET-CL-BODY-DESYNC',
      '9110 section 9.3.1',
      followedUp({ refused: [400], second: cleanVerdict }),
      withBody('GET', 'hello'),
      get
    )
  ),
  unscored(
    advice(
      'SMUG-OPTIONS-CL-BODY-DESYNC',
      '9110 section 9.3.7',
      followedUp({ refused: [400, 405], second: cleanVerdict }),
      withBody('OPTIONS', 'hello'),
      get
    )
  ),
  unscored(
    advice(
      'SMUG-EXPECT-100-CL-DESYNC',
      '9110 section 10.1.1',
      followedUp({ refused: [400, 417], second: cleanVerdict, other: 'warn' }),
      withBody('POST', 'hello', 'Expect: 100-continue\r\n'),
      get
    )
  ),
  unscored(
    advice(
      'SMUG-CL0-BODY-POISON',
      '9112 section 6.2',
      followedUp({ refused: [400], second: () => 'warn' }),
      `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\nX`,
      get
    )
  )
])

interface FollowUp {
  /** Statuses of the first answer that settle the matter. */
  refused: readonly number[]
  /** The first request was served and the connection stayed open. */
  second: (exchange: Exchange) => Verdict
  /** The first answer is neither a refusal nor a success. @default 'fail' */
  other?: Verdict
}

function followedUp({ refused, second, other = 'fail' }: FollowUp): Expectation {
  return ([one, two]) => {
    if (one === undefined || two === undefined) return 'fail'
    if (one.connection === 'closed' || refused.includes(one.reply?.status ?? 0)) return 'pass'
    if (!answered(one)) return other
    return two.connection === 'skipped' ? 'pass' : second(two)
  }
}

function cleanVerdict(exchange: Exchange): Verdict {
  return answered(exchange) ? 'pass' : 'warn'
}

function prefixVerdict(exchange: Exchange): Verdict {
  if (statusLines(exchange) > 1) return 'warn'
  return answered(exchange) || exchange.reply?.status === 400 ? 'pass' : 'warn'
}

function answered(exchange: Exchange | undefined): boolean {
  const reply = exchange?.reply ?? null
  return reply !== null && isSuccess(reply)
}

function statusLines(exchange: Exchange): number {
  return exchange.reply?.raw.match(/HTTP\/\d\.\d \d{3}/g)?.length ?? 0
}

function lengthThenCoding(length: string, coding: string, body: string): string {
  return `POST / HTTP/1.1\r\n${host}Content-Length: ${length}\r\nTransfer-Encoding: ${coding}\r\n\r\n${body}`
}

function codingThenLength(coding: string, length: string, body: string): string {
  const separator = coding.startsWith('\r\n') ? '' : ' '
  return `POST / HTTP/1.1\r\n${host}Transfer-Encoding:${separator}${coding}\r\nContent-Length: ${length}\r\n\r\n${body}`
}

/** A request that ends for whoever reads the chunks, and carries another one for whoever reads the length. */
function carrying(request: string, write: (length: number) => string = String, coding = 'chunked'): string {
  const body = `0\r\n\r\n${request}`
  return lengthThenCoding(write(body.length), coding, body)
}

/** The length covers no more than the chunk-size line, so the chunk itself starts the next request. */
function hiddenBehindChunkSize(): string {
  const inner = `GET / HTTP/1.1\r\n${host}Content-Length: 7\r\n\r\n`
  const sizeLine = `${inner.length.toString(16)}\r\n`
  return codingThenLength('chunked', String(sizeLine.length), `${sizeLine}${inner}\r\n0\r\n\r\n`)
}

function withBody(method: string, body: string, fields = ''): string {
  return `${method} / HTTP/1.1\r\n${host}Content-Length: ${body.length}\r\n${fields}\r\n${body}`
}
