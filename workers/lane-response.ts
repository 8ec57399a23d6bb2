import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { LaneState } from './lane-state.ts'
import { OrderedResponse, lastOwed } from './response-order.ts'

const requestCount = Symbol('scherzo.requestCount')

interface CountingSocket extends Socket {
  [requestCount]?: number
}

/**
 * The responses of one worker's main lane. Each is counted; it ends its connection when that has had its share of requests
 * or the worker drains; and it cuts off a client that does not read.
 */
export function laneResponseFor(state: LaneState): typeof ServerResponse {
  return class LaneResponse<
    Request extends IncomingMessage = IncomingMessage
  > extends OrderedResponse<Request> {
    readonly #startedAt: number = performance.now()
    readonly #isLast: boolean
    #isWatched = false

    constructor(...values: ConstructorParameters<typeof ServerResponse<Request>>) {
      super(...values)
      const { maxRequests } = state.limits
      this.#isLast = maxRequests > 0 && addRequests(values[0].socket, 1) >= maxRequests
      state.openRequests++
      // One listener for all: a closure for each request would cost more than the counting.
      this.on('close', LaneResponse.#count)
    }

    override writeHead(...values: [status: number, ...rest: unknown[]]): this {
      if (this.#isLast || (state.isDraining && this.#isLastOwed())) this.shouldKeepAlive = false
      return super.writeHead(...(values as Parameters<ServerResponse['writeHead']>))
    }

    override assignSocket(socket: Socket): void {
      super.assignSocket(socket)
      this.#watchClient()
    }

    override write(...values: unknown[]): boolean {
      const hasRoom = super.write(...(values as Parameters<ServerResponse['write']>))
      if (!hasRoom) this.#watchClient()
      return hasRoom
    }

    override end(...values: unknown[]): this {
      super.end(...(values as Parameters<ServerResponse['end']>))
      this.#watchClient()
      return this
    }

    #isLastOwed(): boolean {
      const { socket } = this.req
      const last: unknown = socket === null ? this : lastOwed(socket)
      return last === this
    }

    /**
     * Cuts off a client that takes nothing for too long. Node looks at the progress of the write itself before it reports
     * a time-out, and sets the one for idle connections when the response is through.
     */
    #watchClient(): void {
      const { socket } = this
      if (this.#isWatched || socket === null || socket.writableLength === 0) return
      this.#isWatched = true
      socket.setTimeout(state.limits.sendTimeout)
      this.once('drain', () => {
        this.#isWatched = false
        socket.setTimeout(state.limits.connectionTimeout)
      })
    }

    static #count(this: LaneResponse): void {
      state.openRequests--
      const seconds = (performance.now() - this.#startedAt) / 1000
      if (this.writableFinished) state.stats.countRequests('main', this.statusCode, seconds, 1)
    }
  } as unknown as typeof ServerResponse
}

/** Adds to the requests that a connection has had, and gives their number. */
export function addRequests(socket: Socket, requests: number): number {
  const counting = socket as CountingSocket
  const count = (counting[requestCount] ?? 0) + requests
  counting[requestCount] = count
  return count
}

/** How many requests a connection has had, on either lane, as far as there is a limit. */
export function requestsOf(socket: Socket): number {
  return (socket as CountingSocket)[requestCount] ?? 0
}
