import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { ClientOptions, PerMessageDeflateOptions } from 'ws'
import { startEchoServer } from './testing/echo-server.ts'

const MIB = 1_048_576

// Both ends of permessage-deflate, and neither; the client compresses whatever its size.
const WAYS: readonly [string, boolean, PerMessageDeflateOptions | false][] = [
  ['without compression', false, false],
  ['with compression that the client does not want', true, false],
  ['with compression that the server does not want', false, { threshold: 0 }],
  ['with compression', true, { threshold: 0 }],
  ['with compression in a window of 9 bits', true, { threshold: 0, serverMaxWindowBits: 9 }]
]

for (const [name, deflate, perMessageDeflate] of WAYS) {
  test(`ws gets back every message as it was sent ${name}`, async (context) => {
    const server = await startEchoServer(context, { deflate })
    const client = await connect(server.url, { perMessageDeflate })
    assert.equal(client.extensions.includes('permessage-deflate'), deflate && perMessageDeflate !== false)

    const texts = ['', 'a', 'Hello '.repeat(20), 'κόσμε 𝄟 '.repeat(1000), '*'.repeat(65_536)]
    const binaries = [
      Buffer.alloc(0),
      Buffer.alloc(127, 0xff),
      noise(1000),
      Buffer.alloc(MIB, 'scherzo'),
      noise(MIB)
    ]
    const received = collect(client, texts.length + binaries.length)
    for (const text of texts) client.send(text)
    for (const binary of binaries) client.send(binary)
    const messages = await received
    assert.deepEqual(messages.slice(0, texts.length), texts)
    for (const [index, binary] of binaries.entries()) {
      assert.ok(binary.equals(messages[texts.length + index] as Buffer), `${binary.length} bytes`)
    }
    await close(client, 1000)
  })

  test(`ws may fragment its messages and ping between them ${name}`, async (context) => {
    const server = await startEchoServer(context, { deflate })
    const client = await connect(server.url, { perMessageDeflate })
    const received = collect(client, 2)
    client.send('κόσ', { fin: false })
    client.ping('between')
    client.send('', { fin: false })
    client.send('με', { fin: true })
    const data = noise(300_000)
    for (let at = 0; at < data.length; at += 10_000) {
      client.send(data.subarray(at, at + 10_000), { fin: at + 10_000 === data.length })
    }
    const [text, binary] = await received
    assert.equal(text, 'κόσμε')
    assert.ok(data.equals(binary as Buffer))
    await close(client, 1000)
    assert.equal(server.notes[0], 'ping between')
  })
}

test('ws gets a pong with the payload of its ping', async (context) => {
  const server = await startEchoServer(context)
  const client = await connect(server.url)
  const pong = once(client, 'pong')
  client.ping('p'.repeat(125))
  client.pong('unasked')
  assert.equal(String((await pong)[0]), 'p'.repeat(125))
  await close(client, 1000)
  assert.deepEqual(server.notes, [`ping ${'p'.repeat(125)}`, 'pong unasked', 'close 1000 '])
})

test('ws closes with a code and a reason, with a code, and with neither', async (context) => {
  const server = await startEchoServer(context)
  for (const [code, reason, note] of [
    [4000, 'goodbye é', 'close 4000 goodbye é'],
    [1001, '', 'close 1001 '],
    [undefined, '', 'close null ']
  ] as const) {
    const client = await connect(server.url)
    const closed = once(client, 'close')
    client.close(code, reason)
    assert.equal((await closed)[0], code ?? 1005)
    assert.equal(server.notes.at(-1), note)
  }
})

test('ws learns the code and the reason when it breaks a limit', async (context) => {
  const server = await startEchoServer(context, { deflate: true })
  for (const [size, perMessageDeflate] of [
    [MIB + 1, false],
    [40 * MIB, { threshold: 0 }]
  ] as const) {
    const client = await connect(server.url, { perMessageDeflate })
    // The server does not read what it refuses, so the client's write may fail.
    client.on('error', () => {})
    const closed = once(client, 'close')
    client.send(Buffer.alloc(size))
    const [code, reason] = await closed
    assert.deepEqual([code, String(reason)], [1009, 'The client sent a message of more than 1048576 bytes'])
  }
})

test('ws gets the subprotocol that the server chose, and a refusal as a status', async (context) => {
  const server = await startEchoServer(context, {
    chooseProtocol: (offered) => offered.at(-1) ?? null,
    origins: ['https://example.com']
  })
  const client = await connect(server.url, { origin: 'https://example.com' }, ['v1', 'v2'])
  assert.equal(client.protocol, 'v2')
  await close(client, 1000)
  await assert.rejects(connect(server.url, { origin: 'https://evil.example' }), /\b403\b/)
  await assert.rejects(connect(server.url, { protocolVersion: 8 }), /\b426\b/)
})

async function connect(
  url: string,
  options: ClientOptions = {},
  protocols: string[] = []
): Promise<WebSocket> {
  const client = new WebSocket(url, protocols, options)
  await once(client, 'open')
  return client
}

async function close(client: WebSocket, expected: number): Promise<void> {
  const closed = once(client, 'close')
  client.close(1000)
  assert.equal((await closed)[0], expected)
}

/** Strings where they came as text. */
function collect(client: WebSocket, count: number): Promise<(string | Buffer)[]> {
  const messages: (string | Buffer)[] = []
  return new Promise((resolve, reject) => {
    client.on('error', reject)
    client.on('close', (code) => reject(new Error(`closed with ${code} after ${messages.length} messages`)))
    client.on('message', (data: Buffer, isBinary) => {
      messages.push(isBinary ? data : data.toString())
      if (messages.length === count) resolve(messages)
    })
  })
}

/** Bytes that do not compress, the same every time. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[at] = state >>> 24
  }
  return bytes
}
