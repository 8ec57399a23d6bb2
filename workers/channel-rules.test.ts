import { deepEqual, equal, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { serve } from './serve.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
  'app.ts': `
    import type { FastifyInstance } from 'fastify'
    import 'scherzo'
    export default async function app(fastify: FastifyInstance): Promise<void> {
      fastify.hub.channel('room:*', {
        subscribe: async (_identity, channel) => channel !== 'room:secret',
        key: (data) => (data as { id?: string }).id ?? null,
        maxMessageBytes: 20,
        history: { size: 10, age: 60 }
      })
      fastify.hub.route('/live', { onMessage: async (socket, data) => { await socket.subscribe(String(data)); socket.send('ok') } })
      fastify.post('/publish', async (request) => fastify.hub.publish('room:1', request.body))
    }`
})

for (const runtime of ['current_thread', 'multithread'] as const) {
  test(`rules with functions hold on every thread, and their sizes for the program, too (${runtime})`, async (t) => {
    const server = await serve(`${folder}/app.ts`, {
      port: 0,
      workers: 2,
      runtime,
      poolThreads: 2,
      logLevel: 'silent'
    })
    t.after(() => server.close())
    const client = new WebSocket(`${server.address.replace('http', 'ws')}/live`)
    await once(client, 'open')
    client.send('room:1')
    equal(String((await once(client, 'message'))[0]), 'ok')

    const post = (body: string): Promise<Response> =>
      fetch(`${server.address}/publish`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body
      })
    const message = once(client, 'message')
    equal((await post('{"id":"a"}')).status, 200)
    equal(String((await message)[0]), '{"channel":"room:1","offset":1,"data":{"id":"a"}}')
    const refused = (await (await post('{"id":"0123456789012345"}')).json()) as { code: string }
    equal(refused.code, 'SCZ_ERR_HUB_MESSAGE_SIZE')
    await rejects(server.publish('room:1', 'x'.repeat(19)), { code: 'SCZ_ERR_HUB_MESSAGE_SIZE' })
    equal((await server.publish('room:1', 'x'.repeat(18))).offset, 2)
    deepEqual((await server.history('room:1')).messages.length, 2)

    client.send('room:secret')
    const [code] = await once(client, 'close')
    equal(code, 1008)
  })
}
