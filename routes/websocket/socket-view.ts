import type { FastifyRequest } from 'fastify'
import type { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import { ScherzoError } from '../../core/errors.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import type { Connection } from './connection.ts'
import type { HubSocket } from './hub-socket.ts'
import type { ChannelAction, Identity } from './identity.ts'
import type { Standing } from './standing.ts'

const DONE: Promise<void> = Promise.resolve()

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

  get identity(): Identity | null {
    return this.#connection.standing?.identity ?? null
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
    const { standing } = this.#connection
    if (standing !== null) return standing.subscribe(channel, since)
    return this.#connection.subscribe(channel, since) ?? DONE
  }

  unsubscribe(channel: string): void {
    const { standing } = this.#connection
    if (standing === null) this.#connection.withdraw(channel)
    else standing.unsubscribe(channel)
  }

  watchPresence(channel: string): Promise<void> {
    const { standing } = this.#connection
    if (standing !== null) return standing.watchPresence(channel)
    this.#connection.watchPresence(channel)
    return DONE
  }

  unwatchPresence(channel: string): void {
    const { standing } = this.#connection
    if (standing === null) this.#connection.unwatchPresence(channel)
    else standing.unwatchPresence(channel)
  }

  async may(action: ChannelAction, channel: string): Promise<boolean> {
    return this.#connection.standing?.may(action, channel) ?? true
  }

  renew(identity: Identity): void {
    this.#standing().renew(identity)
  }

  async renewWith(token: string): Promise<void> {
    await this.#standing().renewWith(token)
  }

  /** @throws SCZ_ERR_IDENTITY_RENEW */
  #standing(): Standing {
    const { standing } = this.#connection
    if (standing === null)
      throw new ScherzoError('SCZ_ERR_IDENTITY_RENEW', ['the route does not ask who connects'])
    return standing
  }
}
