import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { ScherzoError } from '../../errors.ts'
import { closeCodes } from '../close-codes.ts'
import { compress } from '../deflate.ts'
import { FrameParser, defaultParserSettings } from '../frame-parser.ts'
import type { FrameSink } from '../frame-parser.ts'
import { binaryFrame, closeFrame, pongFrame, textFrame } from '../frames.ts'
import { shakeHands } from '../handshake.ts'
import type { HandshakeOptions } from '../handshake.ts'

export interface EchoServer {
  readonly url: string
  /** What happened besides messages: pings, pongs and closes of clients. */
  readonly notes: readonly string[]
}

/**
 * Sends every message back, compressed where that was agreed on: the modules with a socket around them. Ends with the test.
 */
export async function startEchoServer(
  context: TestContext,
  options: Partial<HandshakeOptions> = {}
): Promise<EchoServer> {
  const notes: string[] = []
  const all = { chooseProtocol: null, origins: null, deflate: false, ...options }
  const server = createServer()
  const sockets = new Set<Duplex>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket)
    const result = shakeHands(request, all)
    if (result.isAccepted) {
      socket.write(result.head)
      echo(socket, head, result.deflate?.maxWindowBits ?? null, notes)
    } else {
      const lines = Object.entries(result.headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.end(`HTTP/1.1 ${result.status} ${result.code}\r\n${lines.join('')}Content-Length: 0\r\n\r\n`)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  context.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `ws://127.0.0.1:${port}`, notes }
}

function echo(socket: Duplex, head: Buffer, maxWindowBits: number | null, notes: string[]): void {
  const sink: FrameSink = {
    onMessage(data, isBinary) {
      const compressed = maxWindowBits === null ? null : compress(data, 3, maxWindowBits)
      const compose = isBinary ? binaryFrame : textFrame
      socket.write(compose(compressed ?? data, compressed !== null))
    },
    onPing(payload) {
      notes.push(`ping ${payload.toString()}`)
      socket.write(pongFrame(payload))
    },
    onPong(payload) {
      notes.push(`pong ${payload.toString()}`)
    },
    onClose(code, reason) {
      notes.push(`close ${code} ${reason}`)
      socket.end(closeFrame(code))
    }
  }
  const parser = new FrameParser(sink, { ...defaultParserSettings, deflate: maxWindowBits !== null })
  const receive = (chunk: Buffer): void => {
    try {
      parser.receive(chunk)
    } catch (error) {
      if (!(error instanceof ScherzoError)) throw error
      socket.end(closeFrame(error.closeCode ?? closeCodes.internalError, error.message))
    }
  }
  socket.on('error', () => socket.destroy())
  socket.on('data', receive)
  receive(head)
}
