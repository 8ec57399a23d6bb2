import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ScherzoError, catalogue } from '../../core/errors.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { ANSWERED_ERRORS } from '../../routes/protocol/answers.ts'
import { ProtocolClient } from '../../routes/protocol/testing/protocol-client.ts'
import type { Told } from '../../routes/protocol/testing/protocol-client.ts'
import { startEndpoints } from '../../routes/websocket/testing/endpoint-server.ts'
import { hmacToken, inSeconds } from '../../routes/websocket/testing/tokens.ts'
import { serve } from '../serve.ts'
import type { ScherzoServer } from '../server.ts'

// Every error that an answer can have, and every close code, over a real socket.

const app = fileURLToPath(new URL('../testing/protocol-app.ts', import.meta.url))
const page = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8')
let server: ScherzoServer

before(async () => {
  server = await serve(app, {
    port: 0,
    workers: 1,
    logLevel: 'silent',
    drainTimeout: 1,
    maxSocketsPerIdentity: 2,
    // A client that reads slowly may take its time for the close frame.
    closeTimeout: 60
  })
})
after(() => server.close())

let users = 0

async function open(path = '/live', headers: Record<string, string> = {}): Promise<ProtocolClient> {
  users++
  return ProtocolClient.open(server.address + path, { headers: { 'x-user': `user ${users}`, ...headers } })
}

/** What clients are told that ask for this. */
type Asked = readonly [action: string, fields?: object, path?: string]

const since = { epoch: 'e', offset: -1 }
const deep = JSON.parse(`${'['.repeat(101)}${']'.repeat(101)}`) as unknown

const refused: Partial<Record<ErrorCode, readonly Asked[]>> = {
  SCZ_ERR_PROTOCOL_ACTION: [['sing'], ['toString'], ['']],
  SCZ_ERR_PROTOCOL_FIELD: [
    ['subscribe'],
    ['subscribe', { channel: { toString: 1 } }],
    ['subscribe', { channel: 'room:1', presence: 'yes' }],
    ['publish', { channel: 'room:1' }],
    ['publish', { channel: 'room:1', data: 1, key: 7 }],
    ['publish', { channel: 'room:1', data: 1, idempotencyKey: 7 }],
    ['renew', { token: null }]
  ],
  SCZ_ERR_PROTOCOL_FORBIDDEN: [
    ['subscribe', { channel: 'secret' }],
    ['publish', { channel: 'ticks', data: 1 }],
    ['history', { channel: 'secret' }],
    ['presence', { channel: 'secret' }],
    ['publish', { channel: 'ticks', data: 1 }, '/closed'],
    ['history', { channel: 'ticks' }, '/closed']
  ],
  SCZ_ERR_HUB_PRESENCE: [
    ['presence', { channel: 'later:1' }],
    ['subscribe', { channel: 'later:1', presence: true }]
  ],
  SCZ_ERR_PROTOCOL_AUTHENTICATED: [['authenticate', { token: 'x' }]],
  SCZ_ERR_PROTOCOL_FAILED: [
    ['subscribe', { channel: 'broken' }],
    ['publish', { channel: 'broken', data: 1 }]
  ],
  SCZ_ERR_HUB_CHANNEL: [
    ['subscribe', { channel: '' }],
    ['unsubscribe', { channel: 'x'.repeat(1025) }],
    ['publish', { channel: '\ud800', data: 1 }]
  ],
  SCZ_ERR_HUB_DATA: [['publish', { channel: 'room:1', data: deep }]],
  SCZ_ERR_HUB_SINCE: [
    ['subscribe', { channel: 'room:1', since }],
    ['history', { channel: 'room:1', since: 'x' }]
  ],
  SCZ_ERR_HUB_LIMIT: [
    ['history', { channel: 'room:1', limit: 1001 }],
    ['history', { channel: 'room:1', limit: { toString: 1 } }]
  ],
  SCZ_ERR_HUB_MESSAGE_SIZE: [['publish', { channel: 'room:small', data: 'x'.repeat(9) }]],
  SCZ_ERR_HUB_IDEMPOTENCY_KEY: [
    ['publish', { channel: 'room:1', data: 1, idempotencyKey: '' }],
    ['publish', { channel: 'room:1', data: 1, idempotencyKey: 'é'.repeat(128) }]
  ],
  SCZ_ERR_LIMIT_NAME: [
    ['subscribe', { channel: `room:${'x'.repeat(251)}` }],
    ['publish', { channel: 'room:\n', data: 1 }],
    ['history', { channel: 'room:\x7f' }],
    ['presence', { channel: 'room:\x00' }]
  ],
  SCZ_ERR_BUS_NAME: [['publish', { channel: 'room:1', data: 1, key: 'k'.repeat(70_000) }]],
  SCZ_ERR_IDENTITY_RENEW: [
    ['renew', { token: 'x' }],
    ['renew', { token: 'x' }, '/closed']
  ],
  SCZ_ERR_IDENTITY_UNAVAILABLE: [['renew', { token: 'x' }, '/renewed']]
}

for (const [code, all] of Object.entries(refused)) {
  for (const [action, fields, path] of all) {
    const shown = JSON.stringify(fields)?.slice(0, 60) ?? 'nothing else'
    test(`"${action}" with ${shown} ${path === undefined ? '' : `on ${path} `}is answered with ${code}`, async () => {
      const client = await open(path)
      const { error } = await client.ask(action, fields)
      equal(error?.code, code)
      ok(error.message.length > 10)
      // The connection goes on.
      deepEqual((await client.ask('unsubscribe', { channel: 'room:1' })).ok, {})
      client.socket.close()
    })
  }
}

/** Errors that take more than one request, or a server in trouble. */
const otherwise: Partial<Record<ErrorCode, () => Promise<void>>> = {
  SCZ_ERR_PROTOCOL_MESSAGE: async () => {
    const client = await open()
    await client.next()
    const unreadable = [
      'hello',
      '[]',
      'null',
      '7',
      '{}',
      '{"id":0}',
      '{"id":"1"}',
      '{"id":9007199254740992}',
      Buffer.from('{"id":1}')
    ]
    for (const message of unreadable) client.socket.send(message)
    const answers: Told[] = []
    while (answers.length < unreadable.length) {
      const told = await client.next()
      if (told.error !== undefined) answers.push(told)
    }
    for (const { id, error } of answers) deepEqual([id, error?.code], [undefined, 'SCZ_ERR_PROTOCOL_MESSAGE'])
    client.socket.send('the tenth')
    match((await client.closed).reason, /^The client sent 10 messages/)
  },
  SCZ_ERR_PROTOCOL_CALLED_OFF: async () => {
    const client = await open()
    const id = client.post('subscribe', { channel: 'room:1' })
    client.post('unsubscribe', { channel: 'room:1' })
    equal((await client.find((told) => told.id === id)).error?.code, 'SCZ_ERR_PROTOCOL_CALLED_OFF')
  },
  SCZ_ERR_HUB_OFFSET: async () => {
    const client = await open()
    const { ok: place } = await client.ask('history', { channel: 'room:1' })
    const ahead = { epoch: place?.['epoch'], offset: 99 }
    const { error } = await client.ask('history', { channel: 'room:1', since: ahead })
    equal(error?.code, 'SCZ_ERR_HUB_OFFSET')
    const { ok: lost } = await client.ask('subscribe', { channel: 'room:none', since: ahead })
    deepEqual(lost?.['lost'], { from: 1, to: 0 })
    await client.find(
      ({ channel, error }) => channel === 'room:none' && String(error) === 'SCZ_ERR_HUB_OFFSET'
    )
  },
  SCZ_ERR_LIMIT_MESSAGES: async () => {
    const client = await open('/limited')
    const ids = Array.from({ length: 20 }, () => client.post('unsubscribe', { channel: 'room:1' }))
    const answers = await answersTo(client, ids.slice(0, 6))
    const codes = answers.map(({ error }) => error?.code)
    deepEqual(codes.slice(0, 3), [undefined, undefined, undefined])
    deepEqual(new Set(codes.slice(3)), new Set(['SCZ_ERR_LIMIT_MESSAGES']))
    const { retryAfter } = answers[3]!.error!
    ok(retryAfter !== undefined && retryAfter > 0 && retryAfter <= 1, String(retryAfter))
    const sentence = 'You send more than 1 messages a second: slow down'
    deepEqual(await client.closed, { code: 1008, reason: sentence })
    // As many were refused as may come at once.
    equal(client.told.filter(({ error }) => error !== undefined).length, 3)
  },
  SCZ_ERR_LIMIT_SUBSCRIPTIONS: async () => {
    const client = await open('/limited')
    const ids = Array.from({ length: 4 }, () => client.post('subscribe', { channel: 'room:1' }))
    // They count for themselves.
    const other = client.post('unsubscribe', { channel: 'room:2' })
    const answers = await answersTo(client, [...ids, other])
    deepEqual(
      answers.map(({ error }) => error?.code),
      [undefined, undefined, undefined, 'SCZ_ERR_LIMIT_SUBSCRIPTIONS', undefined]
    )
    const { retryAfter } = answers[3]!.error!
    ok(retryAfter !== undefined && retryAfter > 0 && retryAfter <= 1, String(retryAfter))
    client.socket.close()
  },
  SCZ_ERR_LIMIT_CHANNELS: async () => {
    const client = await open('/limited')
    await client.ask('subscribe', { channel: 'room:1', presence: true })
    await client.ask('subscribe', { channel: 'room:2', presence: true })
    const { error } = await client.ask('subscribe', { channel: 'room:3' })
    deepEqual(error, {
      code: 'SCZ_ERR_LIMIT_CHANNELS',
      message: 'You have 2 channels on this connection, as many as you may: unsubscribe from one first'
    })
    client.socket.close()
  },
  SCZ_ERR_IDENTITY_TOKEN: async () => {
    const client = await ProtocolClient.open(`${server.address}/token`)
    await client.ask('authenticate', { token: hmacToken({ sub: 'ada' }) })
    const wrong = await client.ask('renew', { token: hmacToken({ sub: 'ada', exp: 1 }) })
    equal(wrong.error?.code, 'SCZ_ERR_IDENTITY_TOKEN')
    const other = await client.ask('renew', { token: hmacToken({ sub: 'eve' }) })
    equal(other.error?.code, 'SCZ_ERR_IDENTITY_RENEW')
    client.socket.close()
  }
}

for (const [code, provoke] of Object.entries(otherwise)) test(`${code} is answered`, provoke)

/** What a hub in trouble says is handed on; anything that is not for clients is not. */
const troubles: readonly (readonly [ErrorCode, ErrorCode, 'publish' | 'history'])[] = [
  ['SCZ_ERR_BUS_MESSAGE_SIZE', 'SCZ_ERR_BUS_MESSAGE_SIZE', 'publish'],
  ['SCZ_ERR_BUS_OVERLOAD', 'SCZ_ERR_BUS_OVERLOAD', 'publish'],
  ['SCZ_ERR_BUS_CLOSED', 'SCZ_ERR_BUS_CLOSED', 'publish'],
  ['SCZ_ERR_CLOSED', 'SCZ_ERR_CLOSED', 'history'],
  ['SCZ_ERR_IDENTITY_VALUE', 'SCZ_ERR_PROTOCOL_FAILED', 'publish']
]

for (const [thrown, told, action] of troubles) {
  test(`a hub that fails with ${thrown} is told as ${told}`, async (t) => {
    const endpoints = await startEndpoints(t, (fastify, route) => {
      route(fastify, '/', { authorize: () => true })
    })
    const fail = (): Promise<never> => Promise.reject(new ScherzoError(thrown, [1, 2]))
    endpoints.hub.onPublish = fail
    endpoints.hub.onHistory = fail
    const client = await ProtocolClient.open(`http://127.0.0.1:${endpoints.port}/`)
    const { error } = await client.ask(action, { channel: 'a', data: 1 })
    equal(error?.code, told)
    equal(endpoints.logged.length, thrown === told ? 0 : 1)
  })
}

test('the errors of answers that the page has are those that there are, and all were provoked', () => {
  const rows = sectionOf('Errors').matchAll(/^\| `(SCZ_ERR_[A-Z_]+)`/gm)
  const inPage = [...rows].map(([, code]) => code!).toSorted()
  deepEqual(inPage, [...ANSWERED_ERRORS].toSorted())
  const provoked = [...Object.keys(refused), ...Object.keys(otherwise), ...troubles.map(([, code]) => code)]
  deepEqual([...new Set(provoked)].toSorted(), inPage)
})

const closes: Readonly<Record<number, readonly (() => Promise<ProtocolClient>)[]>> = {
  1002: [
    async () => {
      const client = await open()
      // A frame that is not masked.
      rawOf(client).write(Buffer.from([0x81, 1, 0x78]))
      return client
    }
  ],
  1007: [
    async () => {
      const client = await open()
      client.socket.send(Buffer.from([0xff]), { binary: false })
      return client
    }
  ],
  1008: [
    async () => {
      const client = await open()
      for (let times = 0; times < 10; times++) client.socket.send('x')
      return client
    },
    async () => {
      const client = await open('/small')
      for (const isLast of [false, false, true]) client.socket.send('x', { fin: isLast })
      return client
    },
    async () => {
      const client = await open('/limited')
      for (let times = 0; times < 20; times++) client.post('sing')
      return client
    },
    async () => {
      const client = await open('/limited')
      for (let times = 0; times < 20; times++) client.post('subscribe')
      return client
    },
    async () => {
      const client = await open('/slow')
      await client.find(({ subscribed }) => subscribed)
      client.socket.pause()
      const data = 'x'.repeat(1_000_000)
      // Until the kernel's buffers, and then what the route allows, are full. A busy worker may fail to be counted once.
      for (let absences = 0; absences < 3;) {
        await server.publish('floods', data)
        absences = (await server.channels()).has('floods') ? 0 : absences + 1
      }
      client.socket.resume()
      return client
    }
  ],
  1009: [
    async () => {
      const client = await open('/small')
      client.socket.send('x'.repeat(101))
      return client
    }
  ],
  1011: [() => open('/failing')],
  1013: [
    async () => {
      const client = await open('/unavailable')
      client.post('authenticate', { token: 'x' })
      return client
    }
  ],
  4001: [() => open('/live', { 'x-expires': String(inSeconds(1)) })],
  4002: [
    async () => {
      const client = await open('/live', { 'x-user': 'gone' })
      await server.disconnect('gone')
      return client
    }
  ],
  4003: [
    async () => sayFirst({ id: 1, action: 'authenticate', token: hmacToken({ sub: 'ada', exp: 1 }) }),
    async () => sayFirst({ token: hmacToken({ sub: 'ada' }) }),
    async () => sayFirst({ id: 1, action: 'subscribe', channel: 'room:1' }),
    async () => sayFirst({ action: 'authenticate', token: hmacToken({ sub: 'ada' }) }),
    () => ProtocolClient.open(`${server.address}/token`)
  ],
  4004: [
    async () => {
      const said = { id: 1, action: 'authenticate', token: hmacToken({ sub: 'busy' }) }
      for (let times = 0; times < 2; times++) await (await sayFirst(said)).next()
      return sayFirst(said)
    }
  ]
}

for (const [code, ways] of Object.entries(closes)) {
  for (const [index, provoke] of ways.entries()) {
    test(`a socket is closed with ${code} (${index + 1})`, async () => {
      const client = await provoke()
      equal((await client.closed).code, Number(code))
    })
  }
}

test('the close codes that the page has are those that were provoked, beside 1001 of the drain', () => {
  const rows = sectionOf('Close codes').matchAll(/^\| (\d{4}) \|/gm)
  const inPage = [...rows].map(([, code]) => Number(code))
  deepEqual(inPage, [1001, ...Object.keys(closes).map(Number)])
  for (const { closeCode } of Object.values(catalogue)) ok(closeCode === null || inPage.includes(closeCode))
})

/** In the order of the requests. */
async function answersTo(client: ProtocolClient, ids: readonly number[]): Promise<Told[]> {
  const answers: Told[] = []
  for (const id of ids) answers.push(await client.find((told) => told.id === id))
  return answers
}

async function sayFirst(message: object): Promise<ProtocolClient> {
  const client = await ProtocolClient.open(`${server.address}/token`)
  client.socket.send(JSON.stringify(message))
  return client
}

function sectionOf(name: string): string {
  return page.split(/^## /m).find((section) => section.startsWith(`${name}\n`))!
}

function rawOf({ socket }: ProtocolClient): { write(bytes: Buffer): void } {
  return (socket as unknown as { readonly _socket: { write(bytes: Buffer): void } })._socket
}
