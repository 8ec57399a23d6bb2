import assert from 'node:assert/strict'
import { fastify } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { WireRequest } from '../fast-request.ts'
import { mountFastRoutes } from '../mount.ts'
import { readCalls } from '../reading.ts'

export type Headers = Readonly<Record<string, string>>

/** A response without its Date, and without Connection, which the server adds. */
export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

/** Asks both lanes; fails where they differ. Gives the answer of the main lane. */
export type Ask = (request: string, headers?: Headers) => Promise<Response>

export const PAGE: string = '<p>A page that is long enough to be compressed.</p>'.repeat(40)
export const SERVER: Headers = { server: 'scherzo' }

/** Makes an app and the way to ask it. */
export async function appWith(build: (app: FastifyInstance) => void): Promise<Ask> {
  const app = fastify()
  const { table } = mountFastRoutes(app, null)
  app.register(async (instance) => build(instance))
  await app.ready()

  return async (request, headers = {}) => {
    const [method = '', url = ''] = request.split(' ')
    const {
      statusCode,
      headers: given,
      rawPayload
    } = await app.inject({ method: method as 'GET', url, headers })
    const { date, connection, ...received } = given
    assert.equal(typeof date, 'string')
    assert.notEqual(connection, 'close')
    const main = { status: statusCode, headers: received, body: rawPayload }

    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const bytes = Buffer.from(
      `${method} ${url} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}\r\n`,
      'latin1'
    )
    const { calls } = readCalls(bytes, table)
    if (calls.length === 1) {
      const fast = fastResponse(() => calls[0]!.route.answer(new WireRequest(bytes, calls[0]!)), method)
      if (fast !== null) {
        assert.deepEqual(fast, main, `the lanes differ for ${request}`)
      } else {
        assert.ok(main.status >= 400, `only the fast lane fails for ${request}`)
      }
    }
    return main
  }
}

/** What the fast lane writes, read back from its text; null where it would leave the request to the main lane. */
function fastResponse(
  answer: () => { start: string; text: string | null; bytes: Buffer | null },
  method: string
): Response | null {
  let made: ReturnType<typeof answer>
  try {
    made = answer()
  } catch {
    return null
  }
  const [first = '', ...lines] = made.start.slice(0, -2).split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })
  const body = made.text === null ? made.bytes! : Buffer.from(made.text, 'latin1')
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers) as Headers,
    body: method === 'HEAD' ? Buffer.alloc(0) : body
  }
}

/** The app must not start, for the reason given. */
export async function refuses(
  build: (app: FastifyInstance) => void,
  code: string,
  message: string | null
): Promise<void> {
  await assert.rejects(appWith(build), message === null ? { code } : { code, message })
}
