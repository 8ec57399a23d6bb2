import { createHash, randomBytes } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const HEAD_END = '\r\n\r\n'

/** The client's side of the opening handshake (RFC 6455, section 4.1). */
export class Handshake {
  readonly request: string
  readonly #accept: string
  #received = ''

  /** @param headers further lines of the request */
  constructor(port: number, path: string, headers: readonly string[] = []) {
    const key = randomBytes(16).toString('base64')
    this.#accept = createHash('sha1')
      .update(key + GUID)
      .digest('base64')
    this.request =
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n` +
      `${headers.map((line) => `${line}\r\n`).join('')}\r\n`
  }

  /** The bytes behind the response, or null while it is not complete. */
  push(bytes: Buffer): Buffer | null {
    this.#received += bytes.toString('latin1')
    const headEnd = this.#received.indexOf(HEAD_END)
    if (headEnd === -1) return null
    this.#check(this.#received.slice(0, headEnd))
    return Buffer.from(this.#received.slice(headEnd + HEAD_END.length), 'latin1')
  }

  #check(head: string): void {
    const accept = /^sec-websocket-accept:\s*(\S+)/im.exec(head)?.[1]
    if (!head.startsWith('HTTP/1.1 101 ') || accept !== this.#accept)
      throw new Error(`The handshake was answered with ${JSON.stringify(head)}`)
  }
}
