import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import { Wire, get } from './wire.ts'

/** What `wrk` and the verifier send beside the Host. */
const ACCEPT = {
  json: 'application/json,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7',
  plaintext: 'text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7'
}

const CONTENT_TYPE = {
  json: /^application\/json(; ?charset=(UTF|utf)-8)?$/,
  plaintext: /^text\/plain(; ?charset=(UTF|utf)-8)?$/
}

/** The shortest URLs that count. */
const SHORTEST = { json: '/json'.length, plaintext: '/plaintext'.length }

/** How often the Date is looked at, in milliseconds, and how many times before it counts as one that never changes. */
const ASKING_INTERVAL = 50
const MOST_ASKED = 200

type Kind = keyof typeof ACCEPT

/**
 * The checks of `verify` in toolset/test_types of TechEmpower/FrameworkBenchmarks: those that fail an entry, and those that
 * only warn.
 */
export async function verify(kind: Kind, port: number, url: string): Promise<void> {
  ok(url.length >= SHORTEST[kind])
  // One connection, and so one worker: the clocks of two may differ by a second for a moment.
  const wire = await Wire.open(port)
  const answer = await request(wire, kind, url)
  if (kind === 'plaintext') equal(answer.body.toString(), 'Hello, World!')
  else deepEqual(JSON.parse(answer.body.toString()), { message: 'Hello, World!' })
  equal(answer.body.length, kind === 'plaintext' ? 13 : 27)
  verifyHead(kind, answer)

  const date = answer.headers.get('date')
  let later = answer
  for (let asked = 0; later.headers.get('date') === date && asked < MOST_ASKED; asked++) {
    await sleep(ASKING_INTERVAL)
    later = await request(wire, kind, url)
  }
  notEqual(later.headers.get('date'), date, 'the Date is kept')
  verifyHead(kind, later)
  deepEqual(later.body, answer.body)
  wire.close()
}

/** What every answer of an entry has. */
export function verifyHead(kind: Kind, { status, headers }: Answer): void {
  equal(status, 200)
  match(headers.get('server') ?? '', /^\S+$/)
  match(headers.get('content-type') ?? '', CONTENT_TYPE[kind])
  const date = headers.get('date') ?? ''
  equal(date, new Date(date).toUTCString())
  equal(headers.has('content-length'), !headers.has('transfer-encoding'))
  equal(headers.has('content-encoding'), false)
}

function request(wire: Wire, kind: Kind, url: string): Promise<Answer> {
  wire.send(
    get(
      url,
      'User-Agent: python-requests/2.32',
      'Accept-Encoding: gzip, deflate',
      `Accept: ${ACCEPT[kind]}`,
      'Connection: keep-alive'
    )
  )
  return wire.read()
}
