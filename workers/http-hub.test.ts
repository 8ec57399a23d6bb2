import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { hmacToken, inSeconds } from '../routes/websocket/testing/tokens.ts'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const app = fileURLToPath(new URL('./testing/http-hub-app.ts', import.meta.url))
const token = hmacToken({ sub: 'ann', exp: inSeconds(600) })

async function start(t: TestContext, options: ServeOptions = {}): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', ...options })
  t.after(() => server.close())
  return server
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

async function answerOf(response: Response): Promise<Answer> {
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body']
  }
}

/** On a connection of its own, so that any worker gets it. */
async function post(
  { address }: ScherzoServer,
  body: unknown,
  path = '/publish',
  headers: Record<string, string> = { authorization: `Bearer ${token}` }
): Promise<Answer> {
  return answerOf(
    await fetch(address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body)
    })
  )
}

async function get({ address }: ScherzoServer, path: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, connection: 'close' }
  return answerOf(await fetch(address + path, { headers }))
}

/** What a client is told of an error. */
function errorOf({ status, body: { code, statusCode } }: Answer): unknown[] {
  equal(statusCode, status)
  return [status, code]
}

/** How an error stands in a list. */
function refused(statusCode: 400 | 403 | 413, code: string, message: string): object {
  const error = { 400: 'Bad Request', 403: 'Forbidden', 413: 'Payload Too Large' }[statusCode]
  return { error: { statusCode, code, error, message } }
}

function offsets({ body }: Answer): number[] {
  return (body.messages as { offset: number }[]).map(({ offset }) => offset)
}

for (const runtime of ['current_thread', 'multithread'] as const) {
  test(`a message that is posted reaches subscribers, once for each idempotency key, on any worker (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 2 })
    const client = new WebSocket(`${server.address.replace('http', 'ws')}/live`)
    const received: string[] = []
    client.on('message', (data) => received.push(String(data)))
    await once(client, 'open')
    const message = { channel: 'ticks', data: { price: 1 }, idempotencyKey: 'a' }
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(server, message)))
    const { epoch } = answers[0]!.body
    for (const { status, body } of answers) {
      equal(status, 200)
      deepEqual(body, body.duplicate === true ? { epoch, offset: 1, duplicate: true } : { epoch, offset: 1 })
    }
    equal(answers.filter(({ body }) => body.duplicate !== true).length, 1)
    equal((await server.publish('ticks', 'x', { idempotencyKey: 'a' })).duplicate, true)
    deepEqual((await post(server, { channel: 'ticks', data: null })).body, { epoch, offset: 2 })
    while (received.length < 2) await once(client, 'message')
    deepEqual(received, [
      '{"channel":"ticks","offset":1,"data":{"price":1}}',
      '{"channel":"ticks","offset":2,"data":null}'
    ])
    client.terminate()
  })

  test(`a list has what became of each message, in their order (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 2 })
    const { epoch } = await server.publish('x', 1)
    const messages = [
      { channel: 'ticks', data: 1 },
      { channel: 'ticks', data: 'x'.repeat(1000) },
      { channel: 'secret', data: 1 },
      { channel: '', data: 1 },
      { channel: 'ticks', data: 2, idempotencyKey: 'a' },
      { channel: 'ticks', data: 3, idempotencyKey: 'a' },
      { channel: 'broken', data: 1 }
    ]
    const { status, body } = await post(server, { messages })
    equal(status, 200)
    deepEqual(body.results, [
      { channel: 'ticks', epoch, offset: 1 },
      {
        channel: 'ticks',
        ...refused(
          413,
          'SCZ_ERR_HUB_MESSAGE_SIZE',
          'Cannot publish 1002 bytes in one message to the channel "ticks": its rule allows 1000'
        )
      },
      {
        channel: 'secret',
        ...refused(403, 'SCZ_ERR_HTTP_FORBIDDEN', 'You may not publish to the channel "secret"')
      },
      {
        channel: '',
        ...refused(
          400,
          'SCZ_ERR_HUB_CHANNEL',
          'Cannot use "" as a channel: a channel is a string of 1 to 1024 bytes in UTF-8, the first not zero'
        )
      },
      { channel: 'ticks', epoch, offset: 2 },
      { channel: 'ticks', epoch, offset: 2, duplicate: true },
      {
        channel: 'broken',
        error: { statusCode: 500, error: 'Internal Server Error', message: 'The server failed' }
      }
    ])
    const channels = Array.from({ length: 40 }, (_, index) => `c${index}`)
    const spread = await post(server, { channels, data: 1 })
    deepEqual(
      spread.body.results,
      channels.map((channel) => ({ channel, epoch, offset: 1 }))
    )
  })

  test(`the past of a channel is read in parts, and says what it lacks (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 2 })
    const messages = Array.from({ length: 7 }, (_, index) => ({ channel: 'ticks', data: index + 1 }))
    await post(server, { messages })
    const all = await get(server, '/history/ticks')
    equal(all.status, 200)
    equal(all.headers.get('cache-control'), 'private, no-cache')
    const { epoch } = all.body
    deepEqual([all.body.offset, all.body.lost, offsets(all)], [7, null, [3, 4, 5, 6, 7]])
    const [first] = all.body.messages as { offset: number; data: unknown; time: number }[]
    deepEqual(Object.keys(first!), ['offset', 'data', 'time'])

    const since = await get(server, `/history/ticks?since=${epoch}:4&limit=2`)
    deepEqual([since.body.offset, since.body.lost, offsets(since)], [7, null, [5, 6]])
    const late = await get(server, `/history/ticks?since=${epoch}:0&limit=1`)
    deepEqual([late.body.lost, offsets(late)], [{ from: 1, to: 2 }, [3]])
    const level = await get(server, `/history/ticks?since=${epoch}:7`)
    deepEqual([level.body.lost, offsets(level)], [null, []])
    const unkept = await get(server, `/open/room/1?since=${epoch}:0`)
    deepEqual(unkept.body, { epoch, offset: 0, next: `${epoch}:0`, messages: [], lost: null })
    await server.publish('room/1', 1)
    deepEqual((await get(server, `/open/room/1?since=${epoch}:0`)).body.lost, { from: 1, to: 1 })

    await post(server, '{}', '/bytes')
    const bytes = (await get(server, '/history/ticks?limit=1')).body.messages as Record<string, unknown>[]
    deepEqual({ ...bytes[0], time: 0 }, { offset: 8, base64: 'AQL/', key: 'k', time: 0 })
  })

  test(`both routes work with inject() (${runtime})`, async (t) => {
    const server = await start(t, { runtime, poolThreads: 2 })
    const { body } = await post(server, '{}', '/inject')
    const { epoch, offset } = body.published as { epoch: string; offset: number }
    deepEqual([body.status, offset], [200, 1])
    const history = body.history as { epoch: string; offset: number; messages: { data: unknown }[] }
    deepEqual([history.epoch, history.offset, history.messages[0]!.data], [epoch, 1, 1])
    equal((await post(server, '{}', '/inject', {})).body.status, 401)
  })
}

test('who is not known is refused before the body is read', async (t) => {
  const server = await start(t, { workers: 1 })
  const message = { channel: 'ticks', data: 1 }
  const expired = hmacToken({ sub: 'ann', exp: 1 })
  for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: `Bearer ${expired}` }]) {
    for (const body of [message, 'no JSON', 'x'.repeat(20_000)]) {
      const answer = await post(server, body, '/publish', headers as Record<string, string>)
      deepEqual(errorOf(answer), [401, 'SCZ_ERR_IDENTITY_REFUSED'])
      equal(answer.headers.get('www-authenticate'), 'Bearer')
    }
  }
  const history = await answerOf(await fetch(`${server.address}/history/ticks`))
  deepEqual(errorOf(history), [401, 'SCZ_ERR_IDENTITY_REFUSED'])
  equal((await post(server, message, `/publish?token=${token}`, {})).status, 200)
  equal((await server.history('ticks')).offset, 1)
})

test('each thing that is wrong with a request to publish has its status and code', async (t) => {
  const server = await start(t, { workers: 1 })
  const cases: [unknown, number, string][] = [
    [{ channel: 'ticks' }, 400, 'SCZ_ERR_HTTP_BODY'],
    [[], 400, 'SCZ_ERR_HTTP_BODY'],
    ['no JSON', 400, 'FST_ERR_CTP_INVALID_JSON_BODY'],
    ['{"channel":"ticks","data":{"__proto__":1}}', 400, 'FST_ERR_CTP_INVALID_JSON_BODY'],
    [{ messages: Array.from({ length: 41 }, () => ({ channel: 'a', data: 1 })) }, 400, 'SCZ_ERR_HTTP_BODY'],
    [{ channel: '', data: 1 }, 400, 'SCZ_ERR_HUB_CHANNEL'],
    [{ channel: 'x'.repeat(1025), data: 1 }, 400, 'SCZ_ERR_HUB_CHANNEL'],
    [{ channel: 'other', data: 1, idempotencyKey: '' }, 400, 'SCZ_ERR_HUB_IDEMPOTENCY_KEY'],
    [{ channel: 'other', data: 1, key: 'k'.repeat(1025) }, 400, 'SCZ_ERR_BUS_NAME'],
    [{ channel: 'secret', data: 1 }, 403, 'SCZ_ERR_HTTP_FORBIDDEN'],
    [{ channel: 'not:ann', data: 1 }, 403, 'SCZ_ERR_HTTP_FORBIDDEN'],
    [{ channel: 'ticks', data: 'x'.repeat(1000) }, 413, 'SCZ_ERR_HUB_MESSAGE_SIZE'],
    [{ channel: 'other', data: 'x'.repeat(10_000) }, 413, 'FST_ERR_CTP_BODY_TOO_LARGE']
  ]
  for (const [body, status, code] of cases)
    deepEqual(errorOf(await post(server, body)), [status, code], JSON.stringify(body).slice(0, 60))
  equal((await post(server, { channel: 'broken', data: 1 })).status, 500)
  const { status } = await post(server, 'x', '/publish', {
    authorization: `Bearer ${token}`,
    'content-type': 'application/xml'
  })
  equal(status, 415)
})

test('each thing that is wrong with a request for the past has its status and code', async (t) => {
  const server = await start(t, { workers: 1 })
  const { epoch } = await server.publish('ticks', 1)
  const cases: [string, number, string][] = [
    ['/history/ticks?since=12', 400, 'SCZ_ERR_HTTP_QUERY'],
    ['/history/ticks?limit=0', 400, 'SCZ_ERR_HTTP_QUERY'],
    ['/history/ticks?limit=51', 400, 'SCZ_ERR_HTTP_QUERY'],
    [`/history/ticks?since=${epoch}:2`, 409, 'SCZ_ERR_HUB_OFFSET'],
    ['/history/ticks?since=other:1', 410, 'SCZ_ERR_HTTP_EPOCH'],
    ['/history/secret', 403, 'SCZ_ERR_HTTP_FORBIDDEN'],
    ['/open/', 400, 'SCZ_ERR_HUB_CHANNEL']
  ]
  for (const [path, status, code] of cases) deepEqual(errorOf(await get(server, path)), [status, code], path)
})

test('who publishes too often is told when to go on', async (t) => {
  const server = await start(t, { workers: 1 })
  const message = { channel: 'other', data: 1 }
  const { body } = await post(server, { messages: [message, message, message] }, '/rated', {})
  const [, second, third] = body.results as { offset?: number; error?: { code: string } }[]
  deepEqual([second!.offset, third!.error?.code], [2, 'SCZ_ERR_HTTP_RATE'])
  const answer = await post(server, message, '/rated', {})
  deepEqual(errorOf(answer), [429, 'SCZ_ERR_HTTP_RATE'])
  match(answer.headers.get('retry-after')!, /^[1-9]$/)
})

test('the bodies and the query of docs/HTTP.md and the README are understood', async (t) => {
  const server = await start(t, { workers: 1 })
  const pages = ['../docs/HTTP.md', '../README.md']
  const page = pages.map((path) => readFileSync(new URL(path, import.meta.url), 'utf8')).join('\n')
  const bodies = [...page.matchAll(/-d '(.*)'$/gm)].map(([, body]) => body!)
  const [, query] = /"http:\/\/127\.0\.0\.1:3000(\/history\/.*?)"/.exec(page)!
  equal(bodies.length, 4)
  for (const body of bodies) {
    const answer = await post(server, body)
    equal(answer.status, 200, body)
    for (const result of (answer.body.results ?? [answer.body]) as { offset?: number }[])
      ok(result.offset! > 0, body)
  }
  deepEqual(offsets(await get(server, query!)), [1, 2, 3])
})

const mistakes: readonly [string, string, string][] = [
  ['publishRoute', "'/publish', {}", 'authenticate'],
  ['publishRoute', "'/publish'", 'authenticate'],
  ['publishRoute', "'/publish', { authenticate: 'all' }", 'authenticate'],
  ['publishRoute', "'/publish', { authenticate: 'none', maxMessages: 0 }", 'maxMessages'],
  ['publishRoute', "'/publish', { authenticate: 'none', authorise: () => true }", 'authorise'],
  ['historyRoute', "'/history/:channel', {}", 'authenticate'],
  ['historyRoute', "'/history', { authenticate: 'none' }", 'path'],
  ['historyRoute', "'/history/:channel', { authenticate: 'none', messagesPerSecond: 1 }", 'messagesPerSecond']
]

for (const [call, values, option] of mistakes) {
  test(`${call}(${values}) stops the start`, async () => {
    const folder = temporaryFolder({
      'app.js': `export default async (fastify) => { fastify.hub.${call}(${values}) }`
    })
    const starting = serve(`${folder}/app.js`, { port: 0, workers: 1, logLevel: 'silent' })
    await rejects(starting, (error: Error & { code: string }) => {
      equal(error.code, 'SCZ_ERR_HTTP_OPTION')
      ok(error.message.includes(`"${option}"`), error.message)
      return true
    })
  })
}
