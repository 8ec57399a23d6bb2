import type { FastifyRequest } from 'fastify'
import type { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import type { Connection } from './connection.ts'
import type { HubSocket } from './hub-socket.ts'

/** A connection as the app sees it. Routes without handlers make none, and so keep no request in memory. */
export class SocketView implements HubSocket {
  readonly #connection: Connection
  readonly request: FastifyRequest
  readonly protocol: string | null

  constructor(connection: Connection, request: FastifyRequest, protocol: string | null) {
    this.#connection = connection
    this.request = request
    this.protocol = protocol
  }

  get outbox(): Outbox {
    return this.#connection.outbox
  }

  get bufferedAmount(): number {
    return this.#connection.outbox.bufferedBytes
  }

  send(data: string | Uint8Array, isBinary: boolean = typeof data !== 'string'): void {
    this.#connection.send(data, isBinary)
  }

  close(code: number = closeCodes.normal, reason = ''): void {
    this.#connection.close(code, reason)
  }

  subscribe(channel: string): void
  subscribe(channel: string, since: Since | null): Promise<Recovered | null>
  subscribe(channel: string, since?: Since | null): Promise<Recovered | null> | undefined {
    return this.#connection.subscribe(channel, since)
  }

  unsubscribe(channel: string): void {
    this.#connection.unsubscribe(channel)
  }
}
