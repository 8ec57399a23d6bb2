import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import type { Stream } from './streams.ts'

/** Turns of the event loop in which a server in this process has certainly read what was written before. */
const TURNS = 3

/** Begins a connection, and names the event that it is there. */
export type Opener = (port: number) => { readonly socket: Socket; readonly event: string }

const openPlain: Opener = (port) => ({
  socket: connect({ port, host: '127.0.0.1', noDelay: true }),
  event: 'connect'
})

/**
 * Sends a stream over a connection of its own, each piece in a read of its own, then ends it.
 *
 * @returns everything that came back, one character a byte, without the Date lines
 */
export async function exchange(
  port: number,
  { text, cuts }: Stream,
  open: Opener = openPlain
): Promise<string> {
  const { socket, event } = open(port)
  const received: Buffer[] = []
  const closed = new Promise<void>((resolve) => {
    socket.on('data', (bytes: Buffer) => received.push(bytes)).on('close', () => resolve())
    // A server that refuses a request may reset the connection behind its answer.
    socket.on('error', () => {})
  })
  await new Promise((resolve) => socket.once(event, resolve))
  let start = 0
  for (const end of [...cuts, text.length]) {
    socket.write(text.slice(start, end), 'latin1')
    start = end
    for (let count = 0; count < TURNS; count++) await turn()
  }
  socket.end()
  await closed
  return Buffer.concat(received)
    .toString('latin1')
    .replaceAll(/^Date: .*\r\n/gm, '')
}
