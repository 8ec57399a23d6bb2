import type { FastifyRequest } from 'fastify'
import type { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import type { Connection } from './connection.ts'
import type { HubSocket } from './hub-socket.ts'
import type { ChannelAction, Identity } from './identity.ts'
import type { Standing } from './standing.ts'

/** A connection as the app sees it. Routes without handlers make none, and so keep no request in memory. */
export class SocketView implements HubSocket {
  readonly #connection: Connection
  readonly #standing: Standing
  readonly request: FastifyRequest
  readonly protocol: string | null

  constructor(connection: Connection, standing: Standing, request: FastifyRequest, protocol: string | null) {
    this.#connection = connection
    this.#standing = standing
    this.request = request
    this.protocol = protocol
  }

  get identity(): Identity | null {
    return this.#standing.identity
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

  subscribe(channel: string): Promise<void>
  subscribe(channel: string, since: Since | null): Promise<Recovered | null>
  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> {
    return this.#standing.subscribe(channel, since)
  }

  unsubscribe(channel: string): void {
    this.#standing.unsubscribe(channel)
  }

  watchPresence(channel: string): Promise<void> {
    return this.#standing.watchPresence(channel)
  }

  unwatchPresence(channel: string): void {
    this.#standing.unwatchPresence(channel)
  }

  async may(action: ChannelAction, channel: string): Promise<boolean> {
    return this.#standing.may(action, channel)
  }

  renew(identity: Identity): void {
    this.#standing.renew(identity)
  }

  async renewWith(token: string): Promise<void> {
    await this.#standing.renewWith(token)
  }
}
