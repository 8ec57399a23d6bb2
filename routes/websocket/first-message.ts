import type { FastifyRequest } from 'fastify'
import { ScherzoError } from '../../core/errors.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { okAnswer } from '../protocol/answers.ts'
import { readRequest } from '../protocol/request.ts'
import { firstForbidden, isUnavailable } from './admission.ts'
import type { Connection } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import type { Perishable } from './expiries.ts'
import type { HubSocket } from './hub-socket.ts'
import type { Standing } from './standing.ts'

/** Longest first message: a token of the greatest length that is looked at, and the JSON around it. */
export const MAX_FIRST_MESSAGE: number = 8192 + 64

/**
 * A connection that is open and nobody's yet: its first message has to be `{"token":"..."}`, or, in the channel protocol,
 * `{"id":1,"action":"authenticate","token":"..."}`, and to come in time.
 */
export class FirstMessage implements Perishable {
  readonly #connection: Connection
  readonly #endpoint: Endpoint
  readonly #standing: Standing
  readonly #view: HubSocket | null
  readonly #request: FastifyRequest
  readonly #seconds: number
  readonly #until: number
  #hasToken: boolean

  constructor(
    connection: Connection,
    endpoint: Endpoint,
    standing: Standing,
    view: HubSocket | null,
    request: FastifyRequest
  ) {
    this.#connection = connection
    this.#endpoint = endpoint
    this.#standing = standing
    this.#view = view
    this.#request = request
    this.#seconds = endpoint.options.tokens?.messageTimeout ?? 0
    this.#until = Math.ceil(Date.now() / 1000 + this.#seconds)
    this.#hasToken = false
    endpoint.services.expiries.add(this, this.#until)
  }

  receive(data: Buffer, isBinary: boolean): void {
    const read = this.#connection.speaksProtocol ? readAuthenticate : readToken
    const given = this.#hasToken || isBinary ? null : read(data)
    if (given === null) return this.#connection.closeFor(new ScherzoError('SCZ_ERR_IDENTITY_AWAITED'))
    this.#hasToken = true
    this.#identify(given).catch((error: unknown) => this.#fail(error))
  }

  /** The time for the token ends when the identity is settled: who checks it may not take for ever, either. */
  expire(): void {
    this.#connection.closeFor(new ScherzoError('SCZ_ERR_IDENTITY_LATE', [this.#seconds]))
  }

  leave(): void {
    this.#endpoint.services.expiries.delete(this, this.#until)
  }

  async #identify({ token, id }: GivenToken): Promise<void> {
    const { options, permissions, services } = this.#endpoint
    const identity = await this.#standing.verify(token)
    const channels = [...options.channelsFor(this.#request, identity)]
    const forbidden = await firstForbidden(permissions, identity, channels)
    if (forbidden !== null) throw new ScherzoError('SCZ_ERR_IDENTITY_SUBSCRIBE', [forbidden])
    if (!this.#connection.isOpen) return
    const { maxSocketsPerIdentity } = options
    if (maxSocketsPerIdentity > 0 && services.identities.count(identity.id) >= maxSocketsPerIdentity)
      throw new ScherzoError('SCZ_ERR_IDENTITY_SOCKETS')
    this.leave()
    this.#standing.settle(identity)
    this.#connection.open(this.#view, this.#request, channels, Buffer.alloc(0))
    if (id !== null) this.#connection.send(okAnswer(id, { expires: this.#standing.expires }), false)
  }

  #fail(error: unknown): void {
    if (isUnavailable(error)) this.#connection.close(closeCodes.tryAgainLater, error.message)
    else this.#connection.failHandler('identity', error)
  }
}

interface GivenToken {
  readonly token: string
  /** Of the request that it came in, which is to be answered; null where it was none. */
  readonly id: number | null
}

function readToken(data: Buffer): GivenToken | null {
  try {
    const { token } = JSON.parse(data.toString()) as { readonly token?: unknown }
    return typeof token === 'string' ? { token, id: null } : null
  } catch {
    return null
  }
}

function readAuthenticate(data: Buffer): GivenToken | null {
  try {
    const { id, fields } = readRequest(data, false)
    const { action, token } = fields
    return action === 'authenticate' && typeof token === 'string' ? { token, id } : null
  } catch {
    return null
  }
}
