import { deepEqual, equal, ok } from 'node:assert/strict'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { serve } from '../workers/serve.ts'
import { connect } from './index.ts'

// The client with batches, and with both forms of compression, over a reload of the server.

const app = fileURLToPath(new URL('testing/client-app.ts', import.meta.url))
const server = await serve(app, { port: 0, workers: 2, logLevel: 'silent', drainTimeout: 1 })
after(() => server.close())

const data = { text: 'a longer text, which can be compressed '.repeat(40) }

for (const query of ['', '?batch=1', '?batch=50,20']) {
  for (const protocol of ['scherzo.v1', 'scherzo.v1+deflate']) {
    test(`with ${protocol} and "${query}" every message comes once and in order`, async (t) => {
      const isStripped = protocol !== 'scherzo.v1'
      const chosen = new Set<string>()
      let binary = 0
      /** Without permessage-deflate, as behind a proxy that takes it out, the server has to choose the other one. */
      class Proxied extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols, { perMessageDeflate: !isStripped })
          this.on('open', () => chosen.add(this.protocol))
          this.on('message', (_data, isBinary) => {
            if (isBinary) binary++
          })
        }
      }
      const client = connect(`${server.address.replace('http', 'ws')}/live${query}`, { WebSocket: Proxied })
      t.after(() => client.close())
      const channel = `room:${protocol}${query}`
      const offsets: number[] = []
      await client.subscribe(channel, (_data, { offset }) => offsets.push(offset)).ready
      let last = 0
      for (let round = 0; round < 20; round++) {
        const published = Array.from({ length: 50 }, () => server.publish(channel, data))
        last = (await Promise.all(published)).at(-1)!.offset
        if (round === 10) await server.reload()
      }
      while (offsets.length < last) await new Promise((resolve) => setTimeout(resolve, 5))
      deepEqual(
        offsets,
        Array.from({ length: last }, (_, index) => index + 1)
      )
      deepEqual([...chosen], [protocol])
      if (isStripped) ok(binary > 0)
      else equal(binary, 0)
    })
  }
}
