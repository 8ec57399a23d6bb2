import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { PLAIN } from '../../core/broadcast/format.ts'
import { paceOf } from '../../core/broadcast/pace.ts'
import { RawClient } from '../../workers/testing/raw-client.ts'
import { closeOf, connect, handshake, messages, startEndpoints } from './testing/endpoint-server.ts'
import type { AddRoutes } from './testing/endpoint-server.ts'
import type { HubRouteOptions } from './options.ts'

const PROTOCOL = 'chat.v1'
const DEFLATING = 'chat.v1+deflate'

const echo: HubRouteOptions = {
  protocols: [PROTOCOL],
  onMessage: (socket, data, isBinary) => socket.send(data, isBinary)
}

const routes: AddRoutes = (fastify, route) => {
  route(fastify, '/plain')
  route(fastify, '/batched', { batch: true })
  route(fastify, '/paced', { batch: { size: 100, timeout: 0.05 } })
  route(fastify, '/sized', { batch: { size: 7 } })
  route(fastify, '/refusing', { batch: false })
  route(fastify, '/binary', { binary: true })
  route(fastify, '/echo', echo)
  route(fastify, '/small', { ...echo, maxMessageBytes: 1000 })
  route(fastify, '/uncompressed', { ...echo, compress: false })
}

const adaptive = paceOf(500, 20, true)

const paces: [url: string, pace: ReturnType<typeof paceOf> | null][] = [
  ['/plain', null],
  ['/plain?other=1', null],
  ['/plain?batch=0', null],
  ['/plain?batch=1', adaptive],
  ['/plain?batch=500,20', paceOf(500, 20, false)],
  ['/plain?batch=499,19', paceOf(100, 10, false)],
  ['/plain?batch=10,5', paceOf(10, 5, false)],
  ['/plain?batch=1000,1000', paceOf(1000, 1000, false)],
  ['/batched', adaptive],
  ['/batched?batch=1', adaptive],
  ['/batched?batch=0', null],
  ['/paced', paceOf(100, 50, false)],
  ['/paced?batch=1', paceOf(100, 50, false)],
  ['/sized', paceOf(7, 20, false)],
  ['/refusing?batch=1', null],
  ['/refusing?batch=whatever', null]
]

test('batches are as the route says, or as the client asks', async (t) => {
  const server = await startEndpoints(t, routes)
  for (const [url, pace] of paces) {
    const client = await connect(server, url, { perMessageDeflate: false })
    equal(server.hub.members.at(-1)!.format.pace, pace, url)
    client.terminate()
  }
})

const wrong = [
  '',
  '2',
  'yes',
  '-1',
  '500',
  '500,',
  ',20',
  '9,20',
  '1001,20',
  '500,4',
  '500,1001',
  '5e2,20',
  '500,20,1'
]

for (const value of wrong) {
  test(`"batch=${value}" is refused with a code, before the upgrade`, async (t) => {
    const server = await startEndpoints(t, routes)
    const client = await RawClient.open(server.port)
    client.send(handshake(`/plain?batch=${value}`))
    const answer = await client.receive(/\}$/)
    match(answer, /^HTTP\/1\.1 400 /)
    match(answer, /"code":"SCZ_ERR_WS_BATCH"/)
    equal(server.hub.members.length, 0)
  })
}

test('batches that are asked for twice are refused', async (t) => {
  const server = await startEndpoints(t, routes)
  const client = await RawClient.open(server.port)
  client.send(handshake('/plain?batch=1&batch=1'))
  match(await client.receive(/\}$/), /"code":"SCZ_ERR_WS_BATCH"/)
})

const wrongOptions: HubRouteOptions[] = [
  { batch: { size: 0 } },
  { batch: { size: 10_001 } },
  { batch: { size: 2.5 } },
  { batch: { timeout: -1 } },
  { batch: { timeout: 11 } },
  { batch: { timeout: Number.NaN } },
  { batch: { length: 1 } as object },
  { batch: 'yes' as unknown as boolean },
  { binary: 1 as unknown as boolean }
]

for (const options of wrongOptions) {
  test(`a route with ${JSON.stringify(options)} is refused with a code`, async (t) => {
    await startEndpoints(t, (fastify, route) => {
      let code: unknown
      try {
        route(fastify, '/wrong', options)
      } catch (error) {
        ;({ code } = error as { code?: unknown })
      }
      equal(code, 'SCZ_ERR_WS_OPTION')
    })
  })
}

test('compression of channels follows the handshake and the settings', async (t) => {
  const server = await startEndpoints(t, routes, { compressionThreshold: 77, compressionLevel: 4 })
  const formatOf = async (url: string, perMessageDeflate: object | boolean): Promise<unknown> => {
    const client = await connect(server, url, { perMessageDeflate })
    client.terminate()
    return server.hub.members.at(-1)!.format.compression
  }
  const agreed = { by: 'extension', level: 4, threshold: 77, windowBits: 15 }
  deepEqual(await formatOf('/plain', true), agreed)
  deepEqual(await formatOf('/plain', { serverMaxWindowBits: 12 }), { ...agreed, windowBits: 9 })
  // zlib can't.
  equal(await formatOf('/plain', { serverMaxWindowBits: 8 }), null)
  equal(await formatOf('/plain', false), null)
  equal(await formatOf('/uncompressed', true), null)
  equal((await connect(server, '/plain', { perMessageDeflate: false })).extensions, '')
  equal(server.hub.members.at(-1)!.format, PLAIN)
})

test('binary is for JSON of channels', async (t) => {
  const server = await startEndpoints(t, routes)
  await connect(server, '/binary')
  equal(server.hub.members[0]!.format.isBinary, true)
})

test('the subprotocol that compresses takes the place of the extension', async (t) => {
  const server = await startEndpoints(t, routes)
  const both = await connect(server, '/echo', { perMessageDeflate: true }, [DEFLATING])
  deepEqual([both.protocol, both.extensions], [DEFLATING, ''])
  deepEqual(server.hub.members.at(-1)!.format.compression?.by, 'subprotocol')
  const extension = await connect(server, '/echo', { perMessageDeflate: true }, [DEFLATING, PROTOCOL])
  equal(extension.protocol, PROTOCOL)
  match(extension.extensions, /permessage-deflate/)
  const stripped = await connect(server, '/echo', { perMessageDeflate: false }, [DEFLATING, PROTOCOL])
  equal(stripped.protocol, DEFLATING)
  const uncompressed = await connect(server, '/uncompressed', {}, [DEFLATING, PROTOCOL])
  equal(uncompressed.protocol, PROTOCOL)
})

test('in the subprotocol, text goes deflated both ways, short text as it is, and bytes behind a 0', async (t) => {
  const server = await startEndpoints(t, routes)
  const client = await connect(server, '/echo', { perMessageDeflate: false }, [DEFLATING])
  const received = messages(client, 4)
  const long = 'é'.repeat(3000)
  client.send(Buffer.concat([Buffer.of(1), deflateRawSync(long)]))
  client.send('short')
  client.send(Buffer.from('\0bytes'))
  client.send(Buffer.of(0))
  const [deflated, short, bytes, empty] = (await received) as [Buffer, string, Buffer, Buffer]
  equal(deflated[0], 1)
  ok(deflated.length < 100)
  equal(inflateRawSync(deflated.subarray(1)).toString(), long)
  equal(short, 'short')
  deepEqual([String(bytes), [...empty]], ['\0bytes', [0]])
})

const bomb = deflateRawSync(Buffer.alloc(64 * 2 ** 20))

const refused: [what: string, bytes: Buffer, code: number][] = [
  ['no tag', Buffer.alloc(0), 1007],
  ['an unknown tag', Buffer.from('\x02bytes'), 1007],
  ['what is not deflated', Buffer.from('\x01bytes'), 1007],
  ['a stream that ends too early', deflated('x'.repeat(100)).subarray(0, -2), 1007],
  ['more behind its end', Buffer.concat([deflated('x'), Buffer.of(1)]), 1007],
  ['text that is not UTF-8', Buffer.concat([Buffer.of(1), deflateRawSync(Buffer.of(0xff))]), 1007],
  ['text above the limit', deflated('x'.repeat(1001)), 1009],
  ['64 MiB in 64 KiB', Buffer.concat([Buffer.of(1), bomb]), 1009]
]

for (const [what, bytes, expected] of refused) {
  test(`in the subprotocol, ${what} ends the connection with ${expected}, and the server goes on`, async (t) => {
    const server = await startEndpoints(t, routes)
    const path = bytes.length > 1000 ? '/echo' : '/small'
    const client = await connect(server, path, { perMessageDeflate: false }, [DEFLATING])
    client.send(bytes)
    equal((await closeOf(client)).code, expected)
    const next = await connect(server, path, { perMessageDeflate: false }, [DEFLATING])
    next.send(deflated('x'.repeat(1000)))
    equal((await messages(next, 1)).length, 1)
    deepEqual(server.logged, [])
  })
}

function deflated(text: string): Buffer {
  return Buffer.concat([Buffer.of(1), deflateRawSync(text)])
}
