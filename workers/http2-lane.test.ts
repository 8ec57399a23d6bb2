import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { GivenSettings } from '../core/settings.ts'
import { bodies, gate } from './testing/http2-app.ts'
import { data, openFrames, post, reset } from './testing/http2-frames.ts'
import { ask, headOf, listenTls, openHttp2 } from './testing/tls-app.ts'
import type { TlsApp } from './testing/tls-app.ts'

let app: TlsApp
let session: ClientHttp2Session

before(async () => {
  app = await listenTls('./http2-app.ts')
})

beforeEach(() => {
  session = openHttp2(app.port)
})

afterEach(() => session.destroy())

after(() => app.fastify.close())

describe('over HTTP/2, an app', () => {
  test('sees a request as it is: https, the host of :authority, cookies', async () => {
    const { body } = await ask(session, { ':path': '/seen', ':authority': 'example.org:8443', cookie: 'a=1' })
    assert.deepEqual(JSON.parse(body), {
      protocol: 'https',
      hostname: 'example.org',
      host: 'example.org:8443',
      ip: '127.0.0.1',
      version: '2.0',
      cookie: 'a=1'
    })
  })

  test('answers HEAD, missing routes, errors and bodies as over HTTP/1', async () => {
    const empty = await ask(session, { ':path': '/large', ':method': 'HEAD' })
    assert.deepEqual([empty.status, empty.headers['content-length'], empty.body], [200, '4000000', ''])
    assert.equal((await ask(session, { ':path': '/missing' })).status, 404)
    const failed = await ask(session, { ':path': '/fails' })
    assert.deepEqual([failed.status, JSON.parse(failed.body).message], [500, 'Out of tea'])
    const head = { ':path': '/echo', ':method': 'POST', 'content-type': 'application/json' }
    assert.equal((await ask(session, head, '{"a":1}')).body, '{"a":1}')
    const broken = await ask(session, head, '{"a"')
    assert.equal(broken.status, 400)
  })

  test('refuses bodies over the limit, and the client need not send the rest', async () => {
    const head = { ':path': '/echo', ':method': 'POST', 'content-type': 'application/json' }
    const stream = session.request(head)
    stream.on('error', () => {})
    stream.write(Buffer.alloc(2_000_000, ' '))
    assert.equal((await headOf(stream))[':status'], 413)
    stream.resume()
    // The client of Node 22 keeps its stream for what it could not send.
    await quiet(app)
    assert.equal((await ask(session, head, '[]')).body, '[]')
  })

  test('answers more requests at once than a connection may have open', async () => {
    const answers = Array.from({ length: 300 }, () => ask(session, { ':path': '/seen' }))
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
  })

  test('may set headers that HTTP/2 does not have: they are left out', async () => {
    const { headers, body } = await ask(session, { ':path': '/connection-headers' })
    assert.deepEqual(
      [headers['x-kept'], headers.connection, headers['keep-alive']],
      ['yes', undefined, undefined]
    )
    assert.deepEqual([headers['set-cookie'], body], [['a=1', 'b=2'], 'sent'])
    const raw = await ask(session, { ':path': '/raw' })
    assert.deepEqual([raw.headers['x-kept'], raw.body], ['yes', 'raw'])
  })

  test('gets 100-continue out to a client that waits for it', async () => {
    const head = { ':path': '/echo', ':method': 'POST', 'content-type': 'text/plain', expect: '100-continue' }
    const stream = session.request(head)
    await once(stream, 'continue')
    stream.end('body')
    assert.equal(await text(stream), 'body')
  })

  for (const [path, type] of [
    ['/parsed', 'application/x-parsed'],
    ['/read', 'application/x-read']
  ] as const) {
    for (const how of ['by a reset', 'by a reset without an error', 'with its connection']) {
      test(`never takes a body for whole that is broken off ${how}: ${path}`, async () => {
        bodies.length = 0
        await quiet(app)
        const client = await openFrames(app.port)
        client.write(post(path, type))
        client.write(data('part'))
        while (app.state.openRequests === 0) await delay(1)
        if (path === '/read') while (bodies.length === 0) await delay(1)
        if (how === 'with its connection') client.destroy()
        else client.write(reset(how === 'by a reset' ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_NO_ERROR))
        await quiet(app)
        await ask(session, { ':path': '/seen' })
        client.destroy()
        if (path === '/read') assert.deepEqual([...bodies], ['part', 'failed'])
        else assert.deepEqual([...bodies], [])
      })
    }
  }
})

describe('a request over HTTP/2 is refused', () => {
  for (const [what, headers] of [
    ['whose :authority is a list', { ':authority': 'a, b' }],
    ['whose :authority has user information', { ':authority': 'me@a' }],
    ['whose :authority is empty', { ':authority': '' }],
    ['whose Host differs from its :authority', { ':authority': 'a', host: 'b' }],
    ['for * with another method than OPTIONS', { ':path': '*' }]
  ] as const) {
    test(what, async () => {
      const outcome = await ask(session, { ':path': '/seen', ...headers }).then(
        ({ status }) => status,
        (error: Error) => error.message
      )
      // nghttp2 resets the stream of what it refuses itself.
      assert.match(String(outcome), /^400$|NGHTTP2_PROTOCOL_ERROR|code 1/)
    })
  }

  test('whose scheme is not of the web', async () => {
    await assert.rejects(ask(session, { ':path': 'seen', ':scheme': 'ftp' }), /PROTOCOL_ERROR/)
  })

  test('with CONNECT', async () => {
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'example.org:443' })
    assert.equal((await headOf(stream))[':status'], 405)
  })

  test('with a head of more than 16 KiB', async () => {
    // The client knows of the limit when it has read the server's settings, and they hold from then on.
    await ask(session, { ':path': '/seen' })
    await assert.rejects(ask(session, { ':path': '/seen', 'x-long': 'a'.repeat(17_000) }))
  })
})

describe('a connection that speaks HTTP/2', () => {
  test('is counted, and so are its requests', async () => {
    const { stats } = app.state
    await ask(session, { ':path': '/seen' })
    await quiet(app)
    const counted = [stats.requests('main', 2), stats.requests('main', 4), stats.counter('connections')]
    const other = openHttp2(app.port)
    await ask(other, { ':path': '/seen' })
    await ask(other, { ':path': '/missing' })
    const waiting = ask(other, { ':path': '/wait' })
    while (app.state.openRequests === 0) await delay(1)
    assert.equal(app.state.openRequests, 1)
    gate.dispatchEvent(new Event('open'))
    await waiting
    while (app.state.openRequests > 0) await delay(1)
    assert.deepEqual(
      [stats.requests('main', 2), stats.requests('main', 4), stats.counter('connections')],
      [counted[0]! + 2, counted[1]! + 1, counted[2]! + 1]
    )
    other.destroy()
  })

  test('ends after as many requests as allowed, and answers those it has', async () => {
    await withApp({ maxRequests: 3 }, async (limited) => {
      const client = openHttp2(limited.port)
      const goaway = once(client, 'goaway')
      const waiting = ask(client, { ':path': '/wait' })
      await ask(client, { ':path': '/seen' })
      await ask(client, { ':path': '/seen' })
      await goaway
      gate.dispatchEvent(new Event('open'))
      assert.equal((await waiting).body, 'waited')
      await closed(client)
    })
  })

  test('ends when it idles for longer than allowed', async () => {
    await withApp({ keepAliveTimeout: 0.2 }, async (limited) => {
      const client = openHttp2(limited.port)
      const waiting = ask(client, { ':path': '/wait' })
      await delay(1200)
      gate.dispatchEvent(new Event('open'))
      assert.equal((await waiting).body, 'waited', 'a request that takes longer is not idling')
      await closed(client)
    })
  })

  test('ends when no request comes', async () => {
    await withApp({ headersTimeout: 0.2 }, async (limited) => closed(openHttp2(limited.port)))
  })

  test('has 408 for a body that takes too long to arrive, and goes on', async () => {
    await withApp({ requestTimeout: 0.2, headersTimeout: 0.2 }, async (limited) => {
      const client = openHttp2(limited.port)
      const head = { ':path': '/parsed', ':method': 'POST', 'content-type': 'application/x-parsed' }
      const stream = client.request(head)
      stream.on('error', () => {})
      stream.write('part')
      assert.equal((await headOf(stream))[':status'], 408)
      stream.resume()
      await once(stream, 'close')
      assert.equal((await ask(client, { ':path': '/seen' })).status, 200)
      assert.equal(limited.state.stats.counter('connectionsTimedOut'), 1)
      client.destroy()
    })
  })

  test('is cut when its client reads nothing', async () => {
    await withApp({ sendTimeout: 0.3 }, async (limited) => {
      // It never reads, so that the window of the stream stays shut.
      const client = openHttp2(limited.port)
      const stream: ClientHttp2Stream = client.request({ ':path': '/large' })
      stream.on('error', () => {})
      await headOf(stream)
      await closed(client)
      while (limited.state.openRequests > 0) await delay(1)
    })
  })

  test('finishes what it has when the worker drains, and takes no more', async () => {
    const draining = await listenTls('./http2-app.ts')
    const client = openHttp2(draining.port)
    const idle = openHttp2(draining.port)
    await ask(idle, { ':path': '/seen' })
    const waiting = ask(client, { ':path': '/wait' })
    while (draining.state.openRequests === 0) await delay(1)
    const ended = draining.fastify.close()
    await Promise.all([once(client, 'goaway'), closed(idle)])
    gate.dispatchEvent(new Event('open'))
    assert.equal((await waiting).body, 'waited')
    await Promise.all([ended, closed(client)])
  })

  test('is cut with what it has when the drain timeout is over', async () => {
    const draining = await listenTls('./http2-app.ts')
    const client = openHttp2(draining.port)
    const waiting = ask(client, { ':path': '/wait' })
    while (draining.state.openRequests === 0) await delay(1)
    const ended = draining.fastify.close()
    await once(client, 'goaway')
    draining.draining.cut()
    await assert.rejects(waiting)
    await ended
    assert.equal(draining.state.openRequests, 0)
  })
})

async function withApp(given: GivenSettings, act: (app: TlsApp) => Promise<unknown>): Promise<void> {
  const limited = await listenTls('./http2-app.ts', given)
  try {
    await act(limited)
  } finally {
    limited.draining.cut()
    await limited.fastify.close()
  }
}

async function quiet({ state }: TlsApp): Promise<void> {
  while (state.openRequests > 0) await delay(1)
}

async function closed(client: ClientHttp2Session): Promise<void> {
  if (!client.destroyed) await once(client, 'close')
}
