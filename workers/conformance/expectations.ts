import type { Exchange, Expectation, Reply, Verdict } from './case.ts'

type Status = number | '1xx' | '2xx' | '3xx' | '4xx' | '5xx'

interface Table {
  pass?: readonly Status[]
  warn?: readonly Status[]
  fail?: readonly Status[]
  /** For a status in none of the lists. @default 'fail' */
  other?: Verdict
  /** The server hung up without an answer. */
  closed: Verdict
  /** No answer, and the connection still open when the wait was over. */
  silent: Verdict
}

/** Judges the first answer by its status alone; the lists are asked in the order fail, pass, warn. */
export function answers(table: Table): Expectation {
  return first(({ reply, connection }) => {
    if (reply === null) return connection === 'closed' ? table.closed : table.silent
    if (includes(table.fail, reply.status)) return 'fail'
    if (includes(table.pass, reply.status)) return 'pass'
    if (includes(table.warn, reply.status)) return 'warn'
    return table.other ?? 'fail'
  })
}

/** Nothing but an explicit 400 will do. */
export const reject: Expectation = answers({ pass: [400], closed: 'fail', silent: 'fail' })

/** 400, or no answer at all. */
export const rejectOrIgnore: Expectation = answers({ pass: [400], closed: 'pass', silent: 'pass' })

/** 400; a client that gets no answer is left guessing, which is worth a warning. */
export const rejectAloud: Expectation = answers({ pass: [400], closed: 'warn', silent: 'warn' })

/** 400 is the safe answer, serving the request is allowed. */
export const rejectOrServe: Expectation = answers({
  pass: [400],
  warn: ['2xx'],
  closed: 'pass',
  silent: 'fail'
})
export const rejectAloudOrServe: Expectation = answers({
  pass: [400],
  warn: ['2xx'],
  closed: 'warn',
  silent: 'warn'
})

/** A transfer coding the server does not know: 400 or 501. */
export const rejectCoding: Expectation = answers({ pass: [400, 501], closed: 'pass', silent: 'fail' })

/** Too large for the server's limits. */
export const rejectSize: Expectation = answers({ pass: [400, 431], closed: 'pass', silent: 'fail' })

export const serve: Expectation = answers({ pass: ['2xx'], closed: 'fail', silent: 'fail' })
export const serveOrIgnore: Expectation = answers({ pass: ['2xx'], closed: 'pass', silent: 'pass' })

/** The protocol must not be switched; any other answer is fine. */
export const staysHttp: Expectation = answers({ fail: [101], other: 'pass', closed: 'pass', silent: 'fail' })

/** 2xx, and what `judge` says of the whole exchange. */
export function served(judge: (reply: Reply, exchange: Exchange) => Verdict): Expectation {
  return first((exchange) => {
    const { reply } = exchange
    return reply !== null && isSuccess(reply) ? judge(reply, exchange) : 'fail'
  })
}

/** 2xx with the request's body sent back; a server that answers `OK` to everything passes too. */
export function echoes(expected: string): Expectation {
  return served((reply) => (bodyIs(reply, expected) ? 'pass' : 'fail'))
}

/** 2xx with the header, `without` if it is missing. */
export function servedWith(header: string, without: Verdict): Expectation {
  return served((reply) => (reply.headers.has(header) ? 'pass' : without))
}

/** 400, or 2xx on a connection that is closed afterwards: the message could be framed in two ways. */
export function rejectOrServeAndClose(...refusals: number[]): Expectation {
  return first(({ reply, connection }) => {
    if (reply === null) return connection === 'closed' ? 'pass' : 'fail'
    if (refusals.includes(reply.status)) return 'pass'
    return isSuccess(reply) && connection === 'closed' ? 'warn' : 'fail'
  })
}

export function bodyIs(reply: Reply, expected: string): boolean {
  const body = decodedBody(reply)
  return body === expected || body === 'OK'
}

export function isSuccess(reply: Reply): boolean {
  return reply.status >= 200 && reply.status < 300
}

export function first(judge: (exchange: Exchange) => Verdict): Expectation {
  return ([exchange]) => (exchange === undefined ? 'fail' : judge(exchange))
}

function includes(list: readonly Status[] | undefined, status: number): boolean {
  if (list === undefined) return false
  return list.some((item) =>
    typeof item === 'number' ? item === status : Number(item[0]) === Math.trunc(status / 100)
  )
}

function decodedBody(reply: Reply): string {
  const chunked = reply.headers.get('transfer-encoding')?.toLowerCase().includes('chunked') ?? false
  return (chunked ? withoutChunks(reply.body) : null) ?? reply.body.replace(/[\r\n]+$/, '')
}

function withoutChunks(body: string): string | null {
  let rest = body
  let decoded = ''
  while (rest !== '') {
    const line = /^([0-9a-f]+)[^\r\n]*\r\n/i.exec(rest)
    if (line === null) return null
    const size = Number.parseInt(line[1] ?? '', 16)
    if (size === 0) return decoded
    const start = line[0].length
    if (rest.length < start + size) return null
    decoded += rest.slice(start, start + size)
    rest = rest.slice(start + size).replace(/^\r\n/, '')
  }
  return decoded
}
