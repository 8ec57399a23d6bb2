import type { Socket } from 'node:net'

/** What hears of a socket's events. */
export interface SocketListener {
  receive(chunk: Buffer): void
  /** The client has taken what waited for it: reading may go on. */
  resumeReading(): void
  /** The client has ended its side. */
  receiveEnd(): void
  /** The socket has closed. */
  release(): void
}

const listenerOf = Symbol('scherzo.listener')

interface HeardSocket extends Socket {
  [listenerOf]?: SocketListener
}

/** One function for all sockets: a closure for each and every event would take more than the rest of a connection. */
export function listen(socket: Socket, listener: SocketListener): void {
  const heard: HeardSocket = socket
  heard[listenerOf] = listener
  socket.on('data', onData).on('drain', onDrain).on('end', onEnd).on('error', onError).on('close', onClose)
}

function onData(this: HeardSocket, chunk: Buffer): void {
  this[listenerOf]?.receive(chunk)
}

function onDrain(this: HeardSocket): void {
  this[listenerOf]?.resumeReading()
}

function onEnd(this: HeardSocket): void {
  this[listenerOf]?.receiveEnd()
}

function onError(): void {
  // The 'close' that follows says enough: clients vanish.
}

function onClose(this: HeardSocket): void {
  this[listenerOf]?.release()
}
