import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
  'app.ts': `
    import type { FastifyInstance } from 'fastify'
    import { threadId } from 'node:worker_threads'
    import 'scherzo'
    export default async function app(fastify: FastifyInstance): Promise<void> {
      const seen: unknown[] = []
      fastify.hub.subscribe('ticks', ({ offset, epoch, data }) => void seen.push({ offset, epoch, data }))
      fastify.hub.subscribe('ticks', () => { throw new Error('out of tea') })
      const answer = (body: unknown) => ({ threadId, body })
      fastify.get('/seen', { config: { inline: true } }, async () => answer(seen))
      fastify.get('/inline', { config: { inline: true } }, async () => answer(await fastify.hub.publish('ticks', threadId)))
      fastify.get('/publish', async () => answer(await fastify.hub.publish('ticks', threadId)))
      fastify.get('/burst', async () => {
        const all = []
        for (let index = 0; index < 1000; index++) all.push(fastify.hub.publish('ticks', { threadId, index }))
        return answer((await Promise.all(all)).map(({ offset }) => offset))
      })
      fastify.get('/channels', async () => answer([...await fastify.hub.channels()]))
      fastify.get('/bad', async () => fastify.hub.publish('', 1))
      fastify.get('/exit', () => process.exit(7))
    }`
})

interface Answer<Body> {
  readonly threadId: number
  readonly body: Body
}

interface Seen {
  readonly offset: number
  readonly epoch: string
  readonly data: unknown
}

async function open(t: TestContext, options: ServeOptions): Promise<ScherzoServer> {
  const server = await serve(`${folder}/app.ts`, { port: 0, logLevel: 'silent', ...options })
  t.after(() => server.close())
  return server
}

async function ask<Body>(server: ScherzoServer, path: string): Promise<Answer<Body>> {
  // Each request on a connection of its own, so that all workers get some.
  const response = await fetch(server.address + path, { headers: { connection: 'close' } })
  return (await response.json()) as Answer<Body>
}

/** What the listeners of every worker have seen, by thread. */
async function seenByAll(server: ScherzoServer): Promise<Map<number, Seen[]>> {
  const all = new Map<number, Seen[]>()
  for (let round = 0; round < 500 && all.size < server.workers; round++) {
    const { threadId, body } = await ask<Seen[]>(server, '/seen')
    all.set(threadId, body)
  }
  equal(all.size, server.workers, 'every worker has answered')
  return all
}

/** Waits until every worker has seen the message with this offset. */
async function seenUpTo(server: ScherzoServer, offset: number): Promise<Map<number, Seen[]>> {
  for (let round = 0; round < 100; round++) {
    const all = await seenByAll(server)
    if ([...all.values()].every((seen) => seen.at(-1)?.offset === offset)) return all
    await delay(5)
  }
  throw new Error(`In vain: offset ${offset}`)
}

/** Whether offsets follow each other. */
function checkOrder(seen: readonly Seen[]): void {
  seen.forEach(({ offset }, index) => equal(offset, seen[0]!.offset + index))
}

for (const workers of [2, 3]) {
  test(`${workers} workers see the same messages in the same order`, async (t) => {
    const server = await open(t, { workers })
    await Promise.all(Array.from({ length: 12 }, () => ask(server, '/burst')))
    const { epoch, offset } = await server.publish('ticks', 'last')
    equal(offset, 12_001)
    const all = [...(await seenUpTo(server, offset)).values()]
    for (const seen of all) {
      equal(seen.length, offset)
      checkOrder(seen)
      equal(seen[0]!.epoch, epoch)
      deepEqual(seen, all[0])
    }
  })
}

test('a worker that dies and its replacement hold nobody up', async (t) => {
  const server = await open(t, { workers: 2 })
  await ask(server, '/burst')
  const before = await seenUpTo(server, 1000)
  await ask(server, '/exit').catch(() => {})
  for (let count = 0; count < 10; count++) await server.publish('ticks', count)
  let after = new Map<number, Seen[]>()
  for (let round = 0; round < 100 && after.size < 2; round++) {
    await delay(20)
    after = await seenByAll(server).catch(() => new Map())
  }
  await ask(server, '/burst')
  after = await seenUpTo(server, 2010)
  const survivors = [...after].filter(([threadId]) => before.has(threadId))
  equal(survivors.length, 1)
  equal(survivors[0]![1].length, 2010)
  for (const seen of after.values()) checkOrder(seen)
})

test('a reload loses no message for its workers', async (t) => {
  const server = await open(t, { workers: 2 })
  await ask(server, '/burst')
  let isReloaded = false
  const publishing = (async () => {
    let published = 0
    while (!isReloaded) {
      await server.publish('ticks', 'x')
      published++
    }
    return published
  })()
  await server.reload()
  isReloaded = true
  const last = 1000 + (await publishing)
  const { offset, epoch } = await server.publish('ticks', 'last')
  equal(offset, last + 1)
  for (const seen of (await seenUpTo(server, offset)).values()) {
    checkOrder(seen)
    equal(seen[0]!.epoch, epoch)
  }
})

test('pool threads publish in the same order as all others', async (t) => {
  const server = await open(t, { workers: 2, runtime: 'multithread', poolThreads: 2 })
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask<Seen>(server, '/publish')))
  await Promise.all(Array.from({ length: 4 }, () => ask(server, '/burst')))
  const { offset } = await server.publish('ticks', 'last')
  equal(offset, 4011)
  deepEqual(new Set(answers.map(({ body }) => body.offset)).size, 10)
  const all = await seenUpTo(server, offset)
  for (const seen of all.values()) checkOrder(seen)
  ok(
    answers.every(({ threadId }) => !all.has(threadId)),
    'it was not the workers who published'
  )
})

test('a pool thread that dies is replaced by one that publishes', async (t) => {
  const server = await open(t, { workers: 1, runtime: 'multithread', poolThreads: 1 })
  await ask(server, '/publish')
  await ask(server, '/exit').catch(() => {})
  let answer: Answer<{ offset?: number }> | null = null
  for (let round = 0; round < 200 && answer?.body?.offset === undefined; round++) {
    await delay(10)
    answer = await ask<{ offset?: number }>(server, '/publish').catch(() => null)
  }
  equal(answer?.body.offset, 2)
})

test('the primary listens, too', async (t) => {
  const server = await open(t, { workers: 1 })
  const seen: number[] = []
  const stop = server.subscribe('ticks', ({ offset }) => void seen.push(offset))
  for (let round = 0; round < 500 && seen.length === 0; round++) await server.publish('ticks', 'x')
  ok(seen.length > 0)
  stop()
})

test('channels are counted over all workers, from the primary and from a worker', async (t) => {
  const server = await open(t, { workers: 2, runtime: 'multithread', poolThreads: 1 })
  deepEqual(await server.channels(), new Map())
  deepEqual((await ask(server, '/channels')).body, [])
})

test('an invalid channel is an error with a code, of the server, too', async (t) => {
  const server = await open(t, { workers: 1 })
  await rejects(server.publish('', 1), { code: 'SCZ_ERR_HUB_CHANNEL' })
  await rejects(server.broadcast(1n), { code: 'SCZ_ERR_HUB_DATA' })
  const response = await fetch(`${server.address}/bad`)
  equal(((await response.json()) as { code: string }).code, 'SCZ_ERR_HUB_CHANNEL')
})

test('publishing on a closed server is refused', async () => {
  const server = await serve(`${folder}/app.ts`, { port: 0, workers: 1, logLevel: 'silent' })
  await server.close()
  await rejects(server.publish('ticks', 1), { code: 'SCZ_ERR_BUS_CLOSED' })
})
