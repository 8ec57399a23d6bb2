import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'

/** Stands between an instance and its broker, and cuts connections when it is told to, in the middle of whatever passes. */
export class CuttingProxy {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isShut = false
  /** After so many bytes to the broker the connection is cut, with the last of them only half there. */
  cutAfter: number = Infinity

  constructor(server: Server, target: number) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client: Socket) => this.#accept(client, target))
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets nobody through any more. */
  shut(): void {
    this.#isShut = true
    this.cut()
  }

  open(): void {
    this.#isShut = false
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #accept(client: Socket, target: number): void {
    if (this.#isShut) return void client.destroy()
    const broker = connect(target, '127.0.0.1')
    let passed = 0
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(socket)
          client.destroy()
          broker.destroy()
        })
    }
    broker.pipe(client)
    client.on('data', (chunk: Buffer) => {
      passed += chunk.length
      if (passed <= this.cutAfter) return void broker.write(chunk)
      broker.end(chunk.subarray(0, chunk.length >> 1))
      client.destroy()
    })
  }
}

export async function startProxy(t: TestContext, target: number): Promise<CuttingProxy> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = new CuttingProxy(server, target)
  t.after(() => proxy.close())
  return proxy
}
