import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { createCertificate } from '../../workers/testing/certificate.ts'
import { Outbox } from './outbox.ts'

interface Pair {
  readonly server: Socket
  readonly client: Socket
  /** What was written to the server's socket, write by write. */
  readonly writes: (readonly Buffer[])[]
}

async function openPair(context: TestContext): Promise<Pair> {
  const listener = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1' })
  const [server] = (await once(listener, 'connection')) as [Socket]
  context.after(() => {
    client.destroy()
    server.destroy()
    listener.close()
  })
  client.on('error', () => {})
  server.on('error', () => {})
  return { server, client, writes: recordWrites(server) }
}

/** Notes what reaches the socket; what is written while it is corked is one write. */
function recordWrites(socket: Socket): (readonly Buffer[])[] {
  const writes: Buffer[][] = []
  const { write } = socket
  socket.write = function (this: Socket, ...values: unknown[]) {
    const chunk = values[0] as Buffer
    if (this.writableCorked > 0 && writes.length > 0 && writes.at(-1)!.length > 0) writes.at(-1)!.push(chunk)
    else writes.push([chunk])
    return write.apply(this, values as Parameters<typeof write>)
  } as Socket['write']
  return writes
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function read(client: Socket, length: number): Promise<string> {
  let text = ''
  for await (const chunk of client) {
    text += (chunk as Buffer).toString('latin1')
    if (text.length >= length) break
  }
  return text
}

test('a frame alone is written as it is, without a copy', async (context) => {
  const { server, writes } = await openPair(context)
  const frame = Buffer.from('frame')
  new Outbox(server).send(frame)
  assert.deepEqual(writes, [])
  await nextTurn()
  assert.equal(writes.length, 1)
  assert.equal(writes[0]![0], frame)
})

test('frames of one turn leave in one write, in order, whatever the sockets are given', async (context) => {
  const pairs = await Promise.all([openPair(context), openPair(context), openPair(context)])
  const outboxes = pairs.map(({ server }) => new Outbox(server))
  const [a, b, c] = ['a', 'b', 'c'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]
  for (const outbox of outboxes) outbox.send(a)
  outboxes[1]!.send(c)
  for (const outbox of outboxes) outbox.send(b)
  outboxes[2]!.send(a)
  await nextTurn()
  assert.deepEqual(
    pairs.map(({ writes }) => writes.map((chunks) => String(Buffer.concat(chunks)))),
    [['ab'], ['acb'], ['aba']]
  )
})

test('connections that are given the same frames share the bytes', async (context) => {
  const pairs = await Promise.all([openPair(context), openPair(context)])
  const frames = ['one', 'two', 'three'].map((text) => Buffer.from(text))
  for (const { server } of pairs) {
    const outbox = new Outbox(server)
    for (const frame of frames) outbox.send(frame)
  }
  await nextTurn()
  const [first, second] = pairs.map(({ writes }) => writes[0]![0])
  assert.equal(String(first), 'onetwothree')
  assert.equal(first, second)
})

test('many large frames leave together without being copied', async (context) => {
  const { server, client, writes } = await openPair(context)
  const outbox = new Outbox(server)
  const frames = Array.from({ length: 5 }, (_, index) => Buffer.alloc(8000, `${index}`))
  for (const frame of frames) outbox.send(frame)
  assert.equal(outbox.bufferedBytes, 40_000)
  await nextTurn()
  assert.equal(writes.length, 1)
  assert.deepEqual(new Set(writes[0]), new Set(frames))
  assert.equal(await read(client, 40_000), frames.map((frame) => frame.toString()).join(''))
})

test('flush writes at once, and what comes after it in the same turn leaves in another write', async (context) => {
  const { server, writes } = await openPair(context)
  const outbox = new Outbox(server)
  outbox.flush()
  outbox.send(Buffer.from('a'))
  outbox.flush()
  assert.equal(writes.length, 1)
  outbox.send(Buffer.from('b'))
  outbox.send(Buffer.from('c'))
  await nextTurn()
  await nextTurn()
  assert.deepEqual(
    writes.map((chunks) => String(Buffer.concat(chunks))),
    ['a', 'bc']
  )
})

test('it is stalled from the first byte that the kernel does not take until the client has read all', async (context) => {
  const { server, client } = await openPair(context)
  const outbox = new Outbox(server)
  client.pause()
  const frame = Buffer.alloc(65_536)
  let sent = 0
  while (!outbox.isStalled) {
    outbox.send(frame)
    outbox.flush()
    sent += frame.length
  }
  assert.ok(outbox.stalledSince !== null)
  assert.ok(outbox.bufferedBytes > 0 && outbox.bufferedBytes <= sent)
  // Less than what makes a socket emit 'drain' by itself.
  assert.ok(outbox.bufferedBytes <= frame.length)
  const since = outbox.stalledSince
  outbox.send(Buffer.from('more'))
  outbox.flush()
  assert.equal(outbox.stalledSince, since)
  const drained = new Promise<void>((resolve) => {
    outbox.onDrain = resolve
  })
  client.resume()
  await drained
  assert.ok(!outbox.isStalled)
  assert.equal(outbox.stalledSince, null)
  assert.equal(outbox.bufferedBytes, 0)
})

test('what is put in after the socket has ended is dropped', async (context) => {
  const { server, writes } = await openPair(context)
  const outbox = new Outbox(server)
  outbox.send(Buffer.from('too late'))
  server.destroy()
  await nextTurn()
  outbox.send(Buffer.from('far too late'))
  await nextTurn()
  assert.deepEqual(writes, [])
  assert.equal(outbox.bufferedBytes, 0)
})

test('over TLS, a client that reads never makes it stalled, and one that does not, does', async (context) => {
  const { cert, key } = createCertificate()
  const listener = createTlsServer({ cert, key }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connectTls({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    rejectUnauthorized: false
  })
  const [server] = (await once(listener, 'secureConnection')) as [Socket]
  context.after(() => {
    client.destroy()
    server.destroy()
    listener.close()
  })
  const outbox = new Outbox(server)
  client.resume()
  for (let turn = 0; turn < 20; turn++) {
    outbox.send(Buffer.alloc(1000))
    await nextTurn()
    assert.ok(!outbox.isStalled)
  }
  client.pause()
  while (!outbox.isStalled) {
    outbox.send(Buffer.alloc(100_000))
    await nextTurn()
    await nextTurn()
  }
  const drained = new Promise<void>((resolve) => {
    outbox.onDrain = resolve
  })
  client.resume()
  await drained
  assert.ok(!outbox.isStalled)
})
