import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import type { App } from '../app.ts'
import { exchange } from './exchange.ts'
import { loadHere } from '../testing/loaded-app.ts'
import { streams } from './streams.ts'

/** How many streams to try; EQUIVALENCE_STREAMS=100000 takes some minutes. */
const STREAMS = Number(process.env['EQUIVALENCE_STREAMS'] ?? 3000)
/** Streams on their way at once. */
const BATCH = 50

const lanes: { on: App | null; off: App | null } = { on: null, off: null }

before(async () => {
  const file = fileURLToPath(new URL('./app.ts', import.meta.url))
  lanes.on = await loadHere(file, { fastLane: true })
  lanes.off = await loadHere(file, { fastLane: false })
  await lanes.on.fastify.listen({ port: 0, host: '127.0.0.1' })
  await lanes.off.fastify.listen({ port: 0, host: '127.0.0.1' })
})

after(async () => {
  await lanes.on?.fastify.close()
  await lanes.off?.fastify.close()
})

test('a server with the fast lane answers every stream as one without it', async () => {
  const on = portOf(lanes.on)
  const off = portOf(lanes.off)
  const batches = fc.array(streams(), { minLength: BATCH, maxLength: BATCH })
  await fc.assert(
    fc.asyncProperty(batches, async (batch) => {
      await Promise.all(
        batch.map(async (stream) => {
          const [fast, main] = await Promise.all([exchange(on, stream), exchange(off, stream)])
          assert.equal(digest(fast), digest(main), `for ${JSON.stringify(stream)}`)
        })
      )
    }),
    { numRuns: Math.ceil(STREAMS / BATCH), endOnFailure: true }
  )
})

test('both lanes are exercised: the same route answers with and without Fastify', async () => {
  const rows = lanes.on?.routes.filter(({ lane }) => lane === 'fast') ?? []
  assert.equal(rows.length, 9)
  assert.equal(lanes.off?.routes.filter(({ lane }) => lane === 'fast').length, 0)
})

/** Long bodies, cut short for a readable message. */
function digest(answers: string): string {
  return answers.replaceAll(
    /[^\r\n]{200,}/g,
    (line) => `${line.slice(0, 60)}[${line.length} of ${createHash('sha1').update(line).digest('hex')}]`
  )
}

function portOf(app: App | null): number {
  return (app!.fastify.server.address() as AddressInfo).port
}
