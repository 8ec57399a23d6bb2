import type { ConformanceCase, Expectation, Reply, Verdict } from './case.ts'
import { cases, host, advice, unscored } from './case.ts'
import { answers, first, isSuccess } from './expectations.ts'

const survives = answers({ pass: ['2xx', 400], closed: 'pass', silent: 'fail' })
const survivesLarge = answers({ pass: ['2xx', 400, 431], closed: 'pass', silent: 'fail' })
const parses = answers({ pass: ['2xx', 400], warn: [404], closed: 'warn', silent: 'fail' })

/** Cookie fields, whole (`/echo`) and taken apart by the app (`/cookie`). None is scored. */
export const cookies: readonly ConformanceCase[] = cases(
  'cookies',
  [
    advice(
      'COOK-ECHO',
      '',
      first(({ reply, connection }) => {
        if (reply === null) return connection === 'closed' ? 'warn' : 'fail'
        return isSuccess(reply) && /cookie:/i.test(reply.body) ? 'pass' : 'fail'
      }),
      request('/echo', 'foo=bar')
    ),
    advice('COOK-OVERSIZED', '', survivesLarge, request('/echo', `big=${'A'.repeat(65_536)}`)),
    advice('COOK-EMPTY', '', survives, request('/echo', '')),
    advice('COOK-NUL', '', strips('\0'), request('/echo', 'foo=\0bar')),
    advice('COOK-CONTROL-CHARS', '', strips('\x01', '\x02', '\x03'), request('/echo', 'foo=\x01\x02\x03')),
    advice(
      'COOK-MANY-PAIRS',
      '',
      survivesLarge,
      request('/echo', Array.from({ length: 1000 }, (_, index) => `k${index}=v${index}`).join('; '))
    ),
    advice('COOK-MALFORMED', '', survives, request('/echo', '===;;;')),
    advice(
      'COOK-MULTI-HEADER',
      '9113 section 8.2.3',
      shows((reply) => (holds(reply, 'a=1', 'b=2') ? 'pass' : 'warn')),
      request('/echo', 'a=1\r\nCookie: b=2')
    ),
    advice('COOK-PARSED-BASIC', '', contains('foo=bar'), request('/cookie', 'foo=bar')),
    advice('COOK-PARSED-MULTI', '', contains('a=1', 'b=2', 'c=3'), request('/cookie', 'a=1; b=2; c=3')),
    advice('COOK-PARSED-EMPTY-VAL', '', parses, request('/cookie', 'foo=')),
    advice('COOK-PARSED-SPECIAL', '', parses, request('/cookie', 'a=hello world; b=x=y'))
  ].map((row) => unscored(row))
)

function request(path: string, cookie: string): string {
  return `GET ${path} HTTP/1.1\r\n${host}Cookie: ${cookie}\r\n\r\n`
}

function strips(...bytes: string[]): Expectation {
  return first(({ reply, connection }) => {
    if (reply === null) return connection === 'closed' ? 'pass' : 'fail'
    if (reply.status === 400) return 'pass'
    return isSuccess(reply) && !bytes.some((byte) => reply.body.includes(byte)) ? 'pass' : 'fail'
  })
}

function contains(...pairs: string[]): Expectation {
  return shows((reply) => (holds(reply, ...pairs) ? 'pass' : 'fail'))
}

function shows(judge: (reply: Reply) => Verdict): Expectation {
  return first(({ reply, connection }) => {
    if (reply === null) return connection === 'closed' ? 'warn' : 'fail'
    if (reply.status === 400 || reply.status === 404) return 'warn'
    return isSuccess(reply) ? judge(reply) : 'fail'
  })
}

function holds(reply: Reply, ...pairs: string[]): boolean {
  return pairs.every((pair) => reply.body.includes(pair))
}
