import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { listenHere } from './testing/loaded-app.ts'
import type { LoadedApp } from './testing/loaded-app.ts'
import { RawClient } from './testing/raw-client.ts'

let app: LoadedApp

before(async () => {
  app = await listenHere('./feature-app.ts')
})

after(() => app.fastify.close())

const GET_FAST = 'GET /fast HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('a request on the fast lane', () => {
  test('is answered when it arrives one byte at a time', async () => {
    const client = await RawClient.open(app.port)
    for (const character of GET_FAST) {
      client.send(character)
      await delay(0)
    }
    assert.match(await client.receive(/fast$/), /^HTTP\/1\.1 200 OK\r\nserver: scherzo\r\n/)
    client.close()
  })

  test('says who serves, when, and nothing of keeping alive', async () => {
    const client = await RawClient.open(app.port)
    client.send(GET_FAST)
    const answer = await client.receive(/fast$/)
    const date = /^Date: (.*)\r$/m.exec(answer)?.[1] ?? ''
    assert.ok(Math.abs(Date.parse(date) - Date.now()) < 5000, date)
    assert.equal(
      answer.replace(/etag: .*\r\n/, '').replace(/Date: .*\r\n/, ''),
      'HTTP/1.1 200 OK\r\nserver: scherzo\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 4\r\n\r\nfast'
    )
    client.close()
  })

  test('is answered together with those pipelined behind it, in one write', async () => {
    const client = await RawClient.open(app.port)
    let reads = 0
    client.socket.on('data', () => reads++)
    client.send(GET_FAST.repeat(16))
    const answers = await client.receive(/(?:fast[^]*){16}$/)
    assert.equal(answers.match(/HTTP\/1\.1 200 OK/g)?.length, 16)
    assert.equal(reads, 1)
    client.close()
  })

  test('closes the connection behind its answer if it asks for that', async () => {
    const client = await RawClient.open(app.port)
    client.send(`GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET_FAST}`)
    const answers = await client.closed
    assert.match(answers, /\r\nConnection: close\r\n\r\nfast$/)
    assert.equal(answers.match(/HTTP\/1\.1/g)?.length, 1)
  })

  test('whose handler throws is answered by Fastify, and the connection goes on', async () => {
    const client = await RawClient.open(app.port)
    client.send(
      'GET /flaky HTTP/1.1\r\nHost: a\r\n\r\nGET /flaky?fail HTTP/1.1\r\nHost: a\r\n\r\nGET /flaky HTTP/1.1\r\nHost: a\r\n\r\n'
    )
    const answers = await client.receive(/tea[^]*503[^]*\r\n\r\ntea$/)
    assert.match(
      answers,
      /HTTP\/1\.1 503 Service Unavailable[^]*{"statusCode":503,"error":"Service Unavailable","message":"Out of tea"}/
    )
    client.close()
  })
})

describe('a client that ends its side', () => {
  test('gets what it asked for first', async () => {
    const client = await RawClient.open(app.port)
    client.send(GET_FAST)
    client.socket.end()
    assert.match(await client.closed, /fast$/)
  })

  test('gets 400 in the middle of a request', async () => {
    const client = await RawClient.open(app.port)
    client.send(GET_FAST.slice(0, -2))
    await delay(20)
    client.socket.end()
    assert.match(await client.closed, /^HTTP\/1\.1 400 /)
  })
})

describe('a client that does not read', () => {
  test('is not answered further, and gets the rest when it reads', async () => {
    const client = await RawClient.open(app.port)
    client.socket.pause()
    const requests = 200
    const before = process.memoryUsage().rss
    client.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(requests))
    await delay(300)
    const held = process.memoryUsage().rss - before
    assert.ok(held < 50_000_000, `${held} bytes are held for 200 MB of answers that the client does not read`)

    let received = 0
    client.socket.removeAllListeners('data').on('data', (text: string) => {
      received += text.length
    })
    client.socket.resume()
    while (received < requests * 1_000_000) await delay(10)
    client.send('GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await client.closed
  })

  test('is cut off when it has taken nothing for as long as the limit says', async () => {
    const strict = await listenHere('./feature-app.ts', { sendTimeout: 0.3 })
    const client = await RawClient.open(strict.port)
    client.socket.pause()
    client.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200))
    while ((await connectionsOf(strict)) > 0) await delay(20)
    client.close()
    await strict.fastify.close()
  })
})

describe('a client that keeps the server waiting', () => {
  for (const [what, bytes] of [
    ['sends nothing', ''],
    ['sends half a request', 'GET /fast HT'],
    ['sends half a request behind a whole one', `${GET_FAST}GET /fa`]
  ] as const) {
    test(`gets 408 when it ${what}`, async () => {
      const strict = await listenHere('./feature-app.ts')
      strict.server.headersTimeout = 300
      const client = await RawClient.open(strict.port)
      client.send(bytes)
      assert.match(await client.closed, /HTTP\/1\.1 408 Request Timeout\r\n[^]*"statusCode":408}$/)
      await strict.fastify.close()
    })
  }

  test('gets 408 when the whole request has a limit and is not there in time', async () => {
    const strict = await listenHere('./feature-app.ts')
    strict.server.requestTimeout = 300
    const client = await RawClient.open(strict.port)
    client.send('GET /fast HT')
    assert.match(await client.closed, /^HTTP\/1\.1 408 /)
    await strict.fastify.close()
  })

  test('is closed without a word when the app limits inactivity', async () => {
    const strict = await listenHere('./feature-app.ts')
    strict.server.setTimeout(300)
    const client = await RawClient.open(strict.port)
    client.send('GET /fast HT')
    assert.equal(await client.closed, '')
    await strict.fastify.close()
  })

  test('gets no more time by sending on, byte by byte', async () => {
    const strict = await listenHere('./feature-app.ts')
    strict.server.headersTimeout = 300
    const client = await RawClient.open(strict.port)
    const drip = setInterval(() => client.send('x'), 50)
    client.send('GET /')
    assert.match(await client.closed, /^HTTP\/1\.1 408 /)
    clearInterval(drip)
    await strict.fastify.close()
  })

  test('is closed without a word when it idles between requests', async () => {
    const strict = await listenHere('./feature-app.ts')
    strict.server.keepAliveTimeout = 300
    const client = await RawClient.open(strict.port)
    client.send(GET_FAST)
    assert.match(await client.closed, /^HTTP\/1\.1 200 [^]*fast$/)
    await strict.fastify.close()
  })
})

test('an app with WebSockets and uploads keeps its fast routes', () => {
  const fast = app.routes.filter(({ lane }) => lane === 'fast').map(({ path }) => path)
  assert.deepEqual(fast, ['/fast', '/flaky', '/large'])
})

test('a thousand idle connections leave the rest served', async () => {
  const idle: RawClient[] = []
  for (let count = 0; count < 1000; count += 200) {
    idle.push(...(await Promise.all(Array.from({ length: 200 }, () => RawClient.open(app.port)))))
  }
  const client = await RawClient.open(app.port)
  client.send(GET_FAST)
  assert.match(await client.receive(/fast$/), /^HTTP\/1\.1 200 /)
  for (const each of [...idle, client]) each.close()
})

function connectionsOf({ server }: LoadedApp): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
