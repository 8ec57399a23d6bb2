import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { exchange } from './equivalence/exchange.ts'
import type { Opener } from './equivalence/exchange.ts'
import { streams } from './equivalence/streams.ts'
import { connectTls, listenTls } from './testing/tls-app.ts'
import type { TlsApp } from './testing/tls-app.ts'

/** How many streams to try: fewer than without TLS, because the lanes are the same and each stream costs two handshakes. */
const STREAMS = Number(process.env['EQUIVALENCE_STREAMS'] ?? 400)
/** Streams on their way at once. */
const BATCH = 20

let on: TlsApp
let off: TlsApp

before(async () => {
  on = await listenTls('../equivalence/app.ts', { fastLane: true })
  off = await listenTls('../equivalence/app.ts', { fastLane: false })
})

after(() => Promise.all([on.fastify.close(), off.fastify.close()]))

const open: Opener = (port) => ({ socket: connectTls(port).setNoDelay(), event: 'secureConnect' })

test('over TLS, a server with the fast lane answers every stream as one without it', async () => {
  const batches = fc.array(streams(), { minLength: BATCH, maxLength: BATCH })
  await fc.assert(
    fc.asyncProperty(batches, async (batch) => {
      await Promise.all(
        batch.map(async (stream) => {
          const [fast, main] = await Promise.all([
            exchange(on.port, stream, open),
            exchange(off.port, stream, open)
          ])
          assert.equal(fast, main, `for ${JSON.stringify(stream)}`)
        })
      )
    }),
    { numRuns: Math.ceil(STREAMS / BATCH), endOnFailure: true }
  )
})
