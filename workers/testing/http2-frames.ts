import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { connectTls } from './tls-app.ts'

/** Opens a connection on which a test writes frames by hand: Node's own client ends a body before it breaks it off. */
export async function openFrames(port: number): Promise<TLSSocket> {
  const socket = connectTls(port, { ALPNProtocols: ['h2'] })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(0x4, 0, 0))
  return socket
}

/** HEADERS of a request on stream 1, whose body follows. */
export function post(path: string, type: string): Buffer {
  const fields = {
    ':method': 'POST',
    ':scheme': 'https',
    ':path': path,
    ':authority': 'a',
    'content-type': type
  }
  const END_HEADERS = 0x4
  return frame(0x1, END_HEADERS, 1, ...Object.entries(fields).map(([name, value]) => literal(name, value)))
}

export function data(text: string): Buffer {
  return frame(0x0, 0, 1, Buffer.from(text))
}

export function reset(code: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(code)
  return frame(0x3, 0, 1, payload)
}

/** RFC 9113 section 4.1. */
function frame(type: number, flags: number, stream: number, ...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts)
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** RFC 7541 section 6.2.2: a field that is not indexed, with a new name. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0, name.length),
    Buffer.from(name),
    Buffer.of(value.length),
    Buffer.from(value)
  ])
}
