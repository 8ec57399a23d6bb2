import type { ConformanceCase, Expectation, Verdict } from './case.ts'
import { cases, host, advice, must, unscored } from './case.ts'
import { first, isSuccess } from './expectations.ts'

/**
 * Names that a careless server folds into the standard one, which lets a second Content-Length or Transfer-Encoding
 * slip past whoever read the first. `/echo` shows which names reached the app.
 */
export const normalization: readonly ConformanceCase[] = cases('normalization', [
  advice(
    'NORM-UNDERSCORE-CL',
    '',
    notFolded('content_length', 'content-length', '99'),
    `POST /echo HTTP/1.1\r\n${host}Content-Length: 11\r\nContent_Length: 99\r\n\r\nhello world`
  ),
  must(
    'NORM-SP-BEFORE-COLON-CL',
    '9112 section 5.1',
    notFolded('content-length ', 'content-length', '5'),
    `POST /echo HTTP/1.1\r\n${host}Content-Length: 11\r\nContent-Length : 5\r\n\r\nhello world`
  ),
  must(
    'NORM-TAB-IN-NAME',
    '',
    notFolded('content\tlength', 'content-length', '99'),
    `POST /echo HTTP/1.1\r\n${host}Content-Length: 11\r\nContent\tLength: 99\r\n\r\nhello world`
  ),
  unscored(
    advice(
      'NORM-CASE-TE',
      '',
      caseKept('TRANSFER-ENCODING', 'chunked'),
      `POST /echo HTTP/1.1\r\n${host}Content-Length: 11\r\nTRANSFER-ENCODING: chunked\r\n\r\nhello world`
    )
  ),
  advice(
    'NORM-UNDERSCORE-TE',
    '',
    notFolded('transfer_encoding', 'transfer-encoding', 'chunked'),
    `POST /echo HTTP/1.1\r\n${host}Content-Length: 11\r\nTransfer_Encoding: chunked\r\n\r\nhello world`
  )
])

/** Refused or dropped passes, handed on as it was sent warns, handed on under the standard name fails. */
function notFolded(sent: string, standard: string, value: string): Expectation {
  return echoed(value, (names) => {
    const lower = new Set(names.map((name) => name.toLowerCase()))
    if (lower.has(standard)) return 'fail'
    return lower.has(sent) ? 'warn' : 'pass'
  })
}

function caseKept(sent: string, value: string): Expectation {
  return echoed(value, (names) => {
    if (names.includes(sent)) return 'warn'
    return names.some((name) => name.toLowerCase() === sent.toLowerCase()) ? 'fail' : 'pass'
  })
}

/** Judges the names of the fields that reached the app with this value. */
function echoed(value: string, judge: (names: string[]) => Verdict): Expectation {
  return first(({ reply, connection }) => {
    if (reply === null) return connection === 'closed' ? 'pass' : 'fail'
    if (reply.status >= 400) return 'pass'
    if (!isSuccess(reply)) return 'fail'
    const fields = reply.body.split('\n').map((line) => /^([^:]+):\s*(.*?)\r?$/.exec(line))
    return judge(fields.flatMap((field) => (field?.[2]?.toLowerCase() === value ? [field[1] ?? ''] : [])))
  })
}
