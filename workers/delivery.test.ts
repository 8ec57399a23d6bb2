import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket as WsClient } from 'ws'
import { serve } from './serve.ts'
import type { ScherzoServer } from './server.ts'

const app = fileURLToPath(new URL('./testing/delivery-app.ts', import.meta.url))
const COUNT = 300

interface Envelope {
  readonly offset?: number
  readonly data?: unknown
}

/** A subscriber as a page would write it, on what Node has of the browser's interfaces. */
class Page {
  readonly socket: WebSocket
  readonly opened: Promise<unknown>
  /** Each WebSocket message, in order: inflating takes its time. */
  #last: Promise<void> = Promise.resolve()
  readonly received: (Envelope | Envelope[] | Uint8Array)[] = []
  readonly kinds = new Set<string>()
  #wake: () => void = () => {}

  constructor(server: ScherzoServer, path: string, protocols: string[] = []) {
    this.socket = new WebSocket(server.address.replace('http', 'ws') + path, protocols)
    this.socket.binaryType = 'arraybuffer'
    this.opened = new Promise((resolve, reject) => {
      this.socket.addEventListener('open', resolve)
      this.socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)))
    })
    this.socket.addEventListener('message', ({ data }) => {
      this.#last = this.#last.then(() => this.#take(data as string | ArrayBuffer))
    })
  }

  get envelopes(): Envelope[] {
    return this.received.flatMap((each) => (each instanceof Uint8Array ? [] : each)).filter(isMessage)
  }

  async has(count: number): Promise<void> {
    while (this.received.flat().length < count) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  async #take(data: string | ArrayBuffer): Promise<void> {
    const isTagged = this.socket.protocol.endsWith('+deflate')
    if (typeof data === 'string') this.#add('text', JSON.parse(data))
    else if (!isTagged) this.#addBinary(new Uint8Array(data))
    else if (new Uint8Array(data)[0] === 1) this.#add('deflated', JSON.parse(await inflate(data.slice(1))))
    else this.#addBinary(new Uint8Array(data, 1))
    this.#wake()
  }

  #addBinary(bytes: Uint8Array): void {
    const isJson = bytes[0] === 0x7b || bytes[0] === 0x5b
    if (isJson) this.#add('binary JSON', JSON.parse(new TextDecoder().decode(bytes)))
    else this.#add('bytes', bytes)
  }

  #add(kind: string, message: Envelope | Envelope[] | Uint8Array): void {
    this.kinds.add(Array.isArray(message) ? `${kind}, batched` : kind)
    this.received.push(message)
  }
}

function inflate(bytes: ArrayBuffer): Promise<string> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text()
}

function deflate(text: string): Promise<ArrayBuffer> {
  return new Response(
    new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'))
  ).arrayBuffer()
}

function isMessage(envelope: Envelope): boolean {
  return 'data' in envelope
}

async function start(t: TestContext): Promise<ScherzoServer> {
  const server = await serve(app, { port: 0, workers: 1, logLevel: 'silent', drainTimeout: 1 })
  t.after(() => server.close())
  return server
}

function orderOf(index: number): object {
  // Every tenth is above the threshold by itself.
  return { index, note: 'note '.repeat(index % 10 === 0 ? 300 : 10) }
}

const forms: [path: string, protocols: string[], kinds: string[]][] = [
  ['/orders', [], ['text']],
  ['/orders?batch=100,10', [], ['text, batched']],
  ['/orders', ['orders.v1+deflate'], ['text', 'deflated']],
  ['/batched', ['orders.v1+deflate'], ['deflated, batched']],
  ['/binary', [], ['binary JSON']],
  ['/binary?batch=100,10', [], ['binary JSON, batched']]
]

test('every form brings the same messages, once and in order', async (t) => {
  const server = await start(t)
  const pages = forms.map(([path, protocols]) => new Page(server, path, protocols))
  for (const { opened } of pages) await opened
  const orders = Array.from({ length: COUNT }, (_, index) => orderOf(index))
  await Promise.all(orders.map((order) => server.publish('orders', order)))
  for (const page of pages) await page.has(COUNT)
  const expected = orders.map((data, index) => ({ channel: 'orders', offset: index + 1, data }))
  for (const [index, page] of pages.entries()) {
    deepEqual(page.envelopes, expected)
    // A batch of one is no array.
    for (const kind of forms[index]![2])
      ok(page.kinds.has(kind), `${forms[index]![0]} has ${[...page.kinds].join()}`)
    page.socket.close()
  }
})

test('what is published is compressed for those who agreed on it, and costs them fewer bytes', async (t) => {
  const server = await start(t)
  const url = server.address.replace('http', 'ws')
  const clients = [true, false].map(
    (perMessageDeflate) => new WsClient(`${url}/orders`, { perMessageDeflate })
  )
  await Promise.all(clients.map((client) => new Promise((resolve) => client.once('open', resolve))))
  const read = clients.map(
    (client) =>
      new Promise<{ text: string; bytes: number }>((resolve) =>
        client.once('message', (data) =>
          setImmediate(() => {
            const { bytesRead } = (client as WsClient & { readonly _socket: { readonly bytesRead: number } })
              ._socket
            resolve({ text: String(data), bytes: bytesRead })
          })
        )
      )
  )
  await server.publish('orders', { note: 'note '.repeat(4000) })
  const [compressed, plain] = await Promise.all(read)
  equal(compressed!.text, plain!.text)
  ok(plain!.bytes > 20_000 && compressed!.bytes < 2000)
  for (const client of clients) client.close()
})

test('who comes back gets the past in batches that are compressed, and then the live stream', async (t) => {
  const server = await start(t)
  for (let index = 0; index < COUNT; index++) await server.publish('orders', orderOf(index))
  const { epoch } = await server.history('orders', { limit: 1 })
  const page = new Page(server, '/later', ['orders.v1+deflate'])
  await page.opened
  page.socket.send(JSON.stringify({ epoch, offset: 100 }))
  await page.has(1 + 200)
  for (let index = COUNT; index < COUNT + 5; index++) await server.publish('orders', orderOf(index))
  await page.has(1 + 205)
  ok(page.kinds.has('deflated, batched'))
  deepEqual(
    page.envelopes.map(({ offset }) => offset),
    Array.from({ length: 205 }, (_, index) => index + 101)
  )
  page.socket.close()
})

test('bytes go through the subprotocol both ways, between batches and unchanged', async (t) => {
  const server = await start(t)
  const batched = new Page(server, '/batched', ['orders.v1+deflate'])
  const sender = new Page(server, '/bytes', ['orders.v1+deflate'])
  await Promise.all([batched.opened, sender.opened])
  sender.socket.send(Uint8Array.of(0, 255, 1, 0))
  const header = [0, 6, ...Buffer.from('orders'), 0, 0, 0, 0, 0, 0, 0, 1]
  for (const page of [batched, sender]) {
    await page.has(1)
    deepEqual([...(page.received[0] as Uint8Array)], [...header, 255, 1, 0])
  }
  // What CompressionStream makes is understood, and is text: this app heeds bytes only.
  sender.socket.send(new Blob([Uint8Array.of(1), await deflate('text')]))
  sender.socket.send(Uint8Array.of(0, 7))
  await sender.has(2)
  equal((sender.received[1] as Uint8Array).at(-1), 7)
  for (const page of [batched, sender]) page.socket.close()
})
