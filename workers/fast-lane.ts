import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { Clock } from '../core/http/clock.ts'
import type { Mounted } from '../routes/mount.ts'
import { ReadingMemo } from '../routes/memo.ts'
import { Connection } from './connection.ts'
import { addRequests } from './lane-response.ts'
import type { LaneState } from './lane-state.ts'
import { LatencySampler } from './latency-sampler.ts'
import type { LaneContext } from './connection.ts'
import { httpEventOf } from './tls-lane.ts'

/** How often the Date is renewed and waiting connections are looked through, in milliseconds. */
const TICK = 250

const connectionOf = Symbol('scherzo.connection')

interface LaneSocket extends Socket {
  /** Null once the main lane has it. */
  [connectionOf]: Connection | null
}

type ServeHttp = (this: Server, socket: Socket) => void

/**
 * Puts the fast lane in front of a server that does not listen yet: its sockets come here first, and are handed over,
 * with every byte that was not answered, as soon as one asks for more than the fast lane is sure of.
 */
export class FastLane implements LaneContext {
  readonly clock: Clock = new Clock()
  readonly memo: ReadingMemo = new ReadingMemo()
  readonly table: Mounted['table']
  readonly state: LaneState
  readonly latency: LatencySampler
  readonly #server: Server
  readonly #faults: Mounted['faults']
  readonly #serveHttp: ServeHttp
  readonly #connections = new Set<Connection>()
  /** Runs while there are connections: one timer, however many they are. */
  #timer: NodeJS.Timeout | null = null

  constructor(server: Server, mounted: Mounted, state: LaneState) {
    this.#server = server
    this.state = state
    this.latency = new LatencySampler(state.stats)
    this.table = mounted.table
    this.#faults = mounted.faults
    const event = httpEventOf(server)
    this.#serveHttp = server.listeners(event)[0] as ServeHttp
    server.removeListener(event, this.#serveHttp)
    server.on(event, (socket) => this.#accept(socket))
  }

  /** Connections that the fast lane has. */
  get size(): number {
    return this.#connections.size
  }

  /** Ends the connections that wait for a request, after what is being written to them. */
  closeIdle(): void {
    for (const { socket, unread, isWaiting } of this.#connections)
      if (isWaiting && unread === null) socket.destroySoon()
  }

  /** Ends all connections at once. */
  cut(): void {
    for (const { socket } of this.#connections) socket.destroy()
  }

  handOver(connection: Connection, unread: Buffer): void {
    const { socket } = connection
    this.#detach(connection)
    socket.pause()
    this.#serveHttp.call(this.#server, socket)
    if (unread.length > 0) socket.unshift(unread)
    socket.resume()
  }

  handOverEnded(connection: Connection, unread: Buffer): void {
    const { socket } = connection
    this.#detach(connection)
    this.#serveHttp.call(this.#server, socket)
    // An ended stream takes nothing back, so the main lane is told what it would have read.
    socket.emit('data', unread)
    socket.emit('end')
  }

  release(connection: Connection): void {
    this.#connections.delete(connection)
  }

  reportFault(socket: Socket, error: unknown): void {
    this.#faults.set(socket, { error })
  }

  #accept(socket: Socket): void {
    if (this.#timer === null) this.#startTimer()
    const connection = new Connection(socket, this)
    ;(socket as LaneSocket)[connectionOf] = connection
    this.#connections.add(connection)
    for (const [event, listener] of listeners) socket.on(event, listener)
  }

  #detach(connection: Connection): void {
    const { socket, requests } = connection
    this.#connections.delete(connection)
    ;(socket as LaneSocket)[connectionOf] = null
    for (const [event, listener] of listeners) socket.off(event, listener)
    if (this.state.limits.maxRequests > 0) addRequests(socket, requests)
  }

  #startTimer(): void {
    this.clock.tick()
    this.#timer = setInterval(() => this.#tick(), TICK).unref()
  }

  #tick(): void {
    this.clock.tick()
    this.latency.tick()
    for (const connection of this.#connections) this.#checkWait(connection)
    if (this.#connections.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  /** Closes what Node would close: an unfinished request with 408, an idle connection without a word. */
  #checkWait({ socket, isWaiting, requests, unread, waitingSince, activeAt }: Connection): void {
    if (!isWaiting) return
    const { now } = this.clock
    const { keepAliveTimeout, headersTimeout, requestTimeout, timeout } = this.#server
    const isIdle = requests > 0 && unread === null
    if (isOver(now - activeAt, timeout) || (isIdle && isOver(now - waitingSince, keepAliveTimeout))) {
      socket.destroy()
    } else if (
      !isIdle &&
      (isOver(now - waitingSince, headersTimeout) || isOver(now - waitingSince, requestTimeout))
    ) {
      const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
      this.#server.emit('clientError', error, socket)
    }
  }
}

function isOver(waited: number, limit: number): boolean {
  return limit > 0 && waited >= limit
}

// The listeners are shared by all sockets: a closure each would make up a good part of an idle connection's memory.
const listeners = [
  ['data', onData],
  ['end', onEnd],
  ['drain', onDrain],
  ['timeout', onStalled],
  ['error', ignore],
  ['close', onClose]
] as const

function onData(this: Socket, chunk: Buffer): void {
  ;(this as LaneSocket)[connectionOf]?.receive(chunk)
}

function onEnd(this: Socket): void {
  ;(this as LaneSocket)[connectionOf]?.receiveEnd()
}

function onDrain(this: Socket): void {
  ;(this as LaneSocket)[connectionOf]?.resume()
}

function onStalled(this: Socket): void {
  this.destroy()
}

/** A broken connection is closed by Node; the fast lane has nobody to tell. */
function ignore(): void {}

function onClose(this: Socket): void {
  ;(this as LaneSocket)[connectionOf]?.release()
}
