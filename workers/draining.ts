import { subscribe } from 'node:diagnostics_channel'
import { Server as NetServer } from 'node:net'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastLane } from './fast-lane.ts'
import type { LaneState } from './lane-state.ts'
import { lastOwed } from './response-order.ts'

/**
 * How long an idle connection is kept when its worker drains, in milliseconds. A client that sends its next request in this
 * time gets an answer that says Connection: close; one that is closed at once might be sending at that very moment.
 */
const IDLE_GRACE = 1000

/** How often connections that have become idle are looked for after that, in milliseconds. */
const IDLE_INTERVAL = 250

/** What Node publishes when the last byte of a response has been handed to the operating system. */
interface FinishedResponse {
  readonly response: unknown
  readonly socket: Socket
  readonly server: unknown
}

/** Lets the connections of a worker finish what they have. */
export class Draining {
  readonly #server: Server
  readonly #state: LaneState
  #lane: FastLane | null = null

  /** Makes `close()` of the server gentle: Node's own closes idle connections under the hands of their clients. */
  constructor(server: Server, state: LaneState) {
    this.#server = server
    this.#state = state
    server.close = (callback) => {
      NetServer.prototype.close.call(server, callback)
      this.#begin()
      return server
    }
  }

  set lane(lane: FastLane) {
    this.#lane = lane
  }

  /** Ends every connection that is left, in the middle of whatever it does. */
  cut(): void {
    this.#server.closeAllConnections()
    this.#lane?.cut()
    for (const socket of this.#state.upgraded) socket.destroy()
  }

  #begin(): void {
    if (this.#state.isDraining) return
    this.#state.isDraining = true
    this.#endWithResponses()
    let timer = setTimeout(() => {
      timer = setInterval(() => this.#closeIdle(), IDLE_INTERVAL)
    }, IDLE_GRACE)
    this.#server.once('close', () => clearInterval(timer))
  }

  #closeIdle(): void {
    this.#server.closeIdleConnections()
    this.#lane?.closeIdle()
  }

  /** A response whose head had been sent before could not say that it is the connection's last. */
  #endWithResponses(): void {
    subscribe('http.server.response.finish', (message) => {
      const { response, socket, server } = message as FinishedResponse
      if (server === this.#server && lastOwed(socket) === response) socket.destroySoon()
    })
  }
}
