// What is sent, what is judged, and the words for it. The facts of the cases (bytes, accepted answers, requirement
// level, scored or not) are those of Http11Probe by MDA2AV, as its main branch scored in August 2026.

export type Verdict = 'pass' | 'warn' | 'fail'

/** How strongly the RFC asks for it; `NONE` is good practice without a word of RFC 2119. */
export type Requirement = 'MUST' | 'SHOULD' | 'OUGHT' | 'MAY' | 'NONE'

export type Suite =
  | 'compliance'
  | 'websocket'
  | 'smuggling'
  | 'desync'
  | 'malformed'
  | 'normalization'
  | 'capabilities'
  | 'cookies'

export interface Reply {
  status: number
  /** Names in lower case; repeated fields joined with a comma. */
  headers: ReadonlyMap<string, string>
  /** Everything after the first blank line, still framed, one character per byte. */
  body: string
  raw: string
}

/** What one step brought. `skipped`: the connection was gone, so nothing was sent. */
export interface Exchange {
  reply: Reply | null
  connection: 'open' | 'closed' | 'silent' | 'skipped'
}

/** The bytes of a step, one character per byte; a function where they depend on an earlier answer. */
export type Step = string | ((earlier: readonly Exchange[]) => string)

/** A verdict from the exchanges of all steps, in order. */
export type Expectation = (exchanges: readonly Exchange[]) => Verdict

export interface ConformanceCase {
  id: string
  suite: Suite
  requirement: Requirement
  /** The RFC and its section; empty where none says anything. */
  rfc: string
  /** Unscored cases are run and judged, but not counted. */
  scored: boolean
  send: readonly Step[]
  expect: Expectation
}

type Row = Omit<ConformanceCase, 'suite'>
type RowBuilder = (id: string, rfc: string, expect: Expectation, ...send: Step[]) => Row

export const must: RowBuilder = level('MUST')
export const should: RowBuilder = level('SHOULD')
export const ought: RowBuilder = level('OUGHT')
export const may: RowBuilder = level('MAY')
export const advice: RowBuilder = level('NONE')

export function unscored(row: Row): Row {
  return { ...row, scored: false }
}

export function cases(suite: Suite, rows: readonly Row[]): ConformanceCase[] {
  return rows.map((row) => ({ suite, ...row }))
}

/** The probe sends `localhost:8080`; a fixed value keeps every request a constant, lengths included. */
export const host = 'Host: localhost:8080\r\n'
export const get: string = `GET / HTTP/1.1\r\n${host}\r\n`
export const chunkedPost: string = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`

function level(requirement: Requirement): RowBuilder {
  return (id, rfc, expect, ...send) => ({ id, requirement, rfc, scored: true, send, expect })
}
