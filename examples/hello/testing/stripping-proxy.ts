import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

/** A proxy that takes the extensions out of handshakes, as some on the way do. Browsers then have no permessage-deflate. */
export class StrippingProxy {
  readonly address: string
  readonly #server: Server
  readonly #sockets: Set<Socket>

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server
    this.#sockets = sockets
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async open(target: string): Promise<StrippingProxy> {
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const upstream = connect(Number(new URL(target).port), '127.0.0.1')
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', () => {}).on('close', () => [client, upstream].forEach((each) => each.destroy()))
      }
      // A head of a browser comes in one piece over the loopback.
      client.on('data', (bytes) =>
        upstream.write(
          Buffer.from(bytes.toString('latin1').replace(/^Sec-WebSocket-Extensions:.*\r\n/im, ''), 'latin1')
        )
      )
      upstream.on('data', (bytes) => client.write(bytes))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new StrippingProxy(server, sockets)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
