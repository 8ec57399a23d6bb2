import type { ConformanceCase, Exchange, Expectation, Reply, Verdict } from './case.ts'
import { cases, host, should, unscored } from './case.ts'
import { isSuccess } from './expectations.ts'

const plain = `GET / HTTP/1.1\r\n${host}Connection: keep-alive\r\n\r\n`

/** Conditional requests. Not to support them is allowed, so none is scored. */
export const capabilities: readonly ConformanceCase[] = cases(
  'capabilities',
  [
    should(
      'CAP-ETAG-304',
      '9110 section 13.1.2',
      notModified('etag'),
      plain,
      ifNoneMatch((etag) => etag)
    ),
    should('CAP-LAST-MODIFIED-304', '9110 section 13.1.3', notModified('last-modified'), plain, (earlier) =>
      conditional(`If-Modified-Since: ${header(earlier, 'last-modified') ?? 'Thu, 01 Jan 2099 00:00:00 GMT'}`)
    ),
    should(
      'CAP-ETAG-IN-304',
      '9110 section 15.4.5',
      second('etag', (reply) => (reply.status === 304 && reply.headers.has('etag') ? 'pass' : 'warn')),
      plain,
      ifNoneMatch((etag) => etag)
    ),
    should(
      'CAP-INM-PRECEDENCE',
      '9110 section 13.1.2',
      notModified('etag'),
      plain,
      ifNoneMatch((etag) => `${etag}\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT`)
    ),
    should(
      'CAP-INM-WILDCARD',
      '9110 section 13.1.2',
      notModified(null),
      plain,
      conditional('If-None-Match: *')
    ),
    should(
      'CAP-IMS-FUTURE',
      '9110 section 13.1.3',
      modified(null),
      plain,
      conditional('If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT')
    ),
    should(
      'CAP-IMS-INVALID',
      '9110 section 13.1.3',
      modified(null),
      plain,
      conditional('If-Modified-Since: not-a-date')
    ),
    should(
      'CAP-INM-UNQUOTED',
      '9110 section 8.8.3',
      modified('etag'),
      plain,
      ifNoneMatch((etag) => etag.replace(/^W\//, '').replaceAll('"', ''))
    ),
    should(
      'CAP-ETAG-WEAK',
      '9110 section 13.1.2',
      notModified('etag'),
      plain,
      ifNoneMatch((etag) => (etag.startsWith('W/') ? etag : `W/${etag}`))
    )
  ].map((row) => unscored(row))
)

function conditional(field: string): string {
  return `GET / HTTP/1.1\r\n${host}${field}\r\n\r\n`
}

function ifNoneMatch(rewrite: (etag: string) => string): (earlier: readonly Exchange[]) => string {
  return (earlier) => conditional(`If-None-Match: ${rewrite(header(earlier, 'etag') ?? '"no-etag"')}`)
}

function header(exchanges: readonly Exchange[], name: string): string | undefined {
  return exchanges[0]?.reply?.headers.get(name)
}

function notModified(validator: string | null): Expectation {
  return second(validator, (reply) => (reply.status === 304 ? 'pass' : orFail(reply, 'warn')))
}

function modified(validator: string | null): Expectation {
  return second(validator, (reply) => (reply.status === 304 ? 'warn' : orFail(reply, 'pass')))
}

function orFail(reply: Reply, success: Verdict): Verdict {
  return isSuccess(reply) ? success : 'fail'
}

/** Judges the answer to the conditional request, where the first answer brought the validator it depends on. */
function second(validator: string | null, judge: (reply: Reply) => Verdict): Expectation {
  return (exchanges) => {
    const reply = exchanges[0]?.reply ?? null
    if (reply === null || !isSuccess(reply)) return 'fail'
    if (validator !== null && !reply.headers.has(validator)) return 'warn'
    const conditionalReply = exchanges[1]?.reply ?? null
    return conditionalReply === null ? 'warn' : judge(conditionalReply)
  }
}
