import type { Recovered, Since } from '../../core/broadcast/since.ts'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { isUnavailable } from './admission.ts'
import type { Connection } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import type { Perishable } from './expiries.ts'
import type { Identified } from './identities.ts'
import { checkIdentity, expiryOf, hasExpired } from './identity.ts'
import type { ChannelAction, Identity } from './identity.ts'

const DONE: Promise<void> = Promise.resolve()

/** Who is at the other end of a connection, and what that lets it do. Connections of routes that do not ask have none. */
export class Standing implements Identified, Perishable {
  readonly #connection: Connection
  readonly #endpoint: Endpoint
  #identity: Identity | null
  /** When the identity ends, in seconds since 1970. */
  #until: number | null
  /** Subscriptions that `authorize` has not decided about, by channel. */
  #asked: Map<string, object> | null

  constructor(connection: Connection, endpoint: Endpoint) {
    this.#connection = connection
    this.#endpoint = endpoint
    this.#identity = null
    this.#until = null
    this.#asked = null
  }

  get identity(): Identity | null {
    return this.#identity
  }

  /** Lets the connection be known by the identity. */
  settle(identity: Identity): void {
    this.#identity = identity
    this.#endpoint.services.identities.add(identity.id, this)
    this.#expireWith(identity)
  }

  /** The connection has ended, or is about to. */
  leave(): void {
    const { identities, expiries } = this.#endpoint.services
    if (this.#identity !== null) identities.delete(this.#identity.id, this)
    if (this.#until !== null) expiries.delete(this, this.#until)
    this.#until = null
    this.#asked = null
  }

  /**
   * Subscribes if the identity may. What nobody awaits must not end the worker: clients choose what they ask for.
   *
   * @throws SCZ_ERR_IDENTITY_SUBSCRIBE, by the promise; SCZ_ERR_HUB_CHANNEL
   */
  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> {
    const allowed = this.#endpoint.options.authorize?.(this.#identity, channel, 'subscribe') ?? true
    if (typeof allowed === 'boolean') return quiet(this.#subscribe(channel, since, allowed))
    const ask = {}
    this.#asked ??= new Map()
    this.#asked.set(channel, ask)
    return quiet(this.#subscribeLater(channel, since, allowed, ask))
  }

  /** A subscription that is still being decided about does not come back. */
  unsubscribe(channel: string): void {
    this.#asked?.delete(channel)
    this.#connection.unsubscribe(channel)
  }

  async may(action: ChannelAction, channel: string): Promise<boolean> {
    const { authorize } = this.#endpoint.options
    return authorize === null || (await authorize(this.#identity, channel, action)) === true
  }

  /** @throws SCZ_ERR_IDENTITY_RENEW, SCZ_ERR_IDENTITY_VALUE */
  renew(given: Identity): void {
    const identity = checkIdentity(given)
    if (!this.#connection.isOpen) return
    if (this.#identity === null) throw notRenewed('it has none')
    if (identity.id !== this.#identity.id) throw notRenewed('the new one is somebody else')
    if (hasExpired(identity)) throw notRenewed('the new one has expired')
    this.#identity = identity
    this.#expireWith(identity)
  }

  /** @throws SCZ_ERR_IDENTITY_TOKEN, SCZ_ERR_IDENTITY_UNAVAILABLE, SCZ_ERR_IDENTITY_RENEW, by the promise */
  renewWith(token: string): Promise<void> {
    return quiet(this.#renewWith(token))
  }

  /**
   * The identity that a token stands for.
   *
   * @throws SCZ_ERR_IDENTITY_TOKEN, SCZ_ERR_IDENTITY_UNAVAILABLE, SCZ_ERR_IDENTITY_VALUE
   */
  async verify(token: string): Promise<Identity> {
    const { options, log } = this.#endpoint
    if (options.tokens === null) throw notRenewed('the route has no authenticator for tokens')
    try {
      const identity = checkIdentity(await options.tokens.verify(token))
      if (hasExpired(identity)) throw new Error('the identity has expired')
      return identity
    } catch (error) {
      if (isUnavailable(error)) throw error
      log.info({ reason: reasonOf(error) }, 'Refused a token that came over a WebSocket')
      throw new ScherzoError('SCZ_ERR_IDENTITY_TOKEN')
    }
  }

  expire(): void {
    if (this.#until !== null && this.#until * 1000 <= Date.now())
      this.#connection.closeFor(new ScherzoError('SCZ_ERR_IDENTITY_EXPIRED'))
  }

  disconnect(code: number, reason: string): boolean {
    this.#connection.close(code, reason)
    return true
  }

  withdraw(channel: string): boolean {
    this.unsubscribe(channel)
    return true
  }

  sendFrame(frame: Buffer): boolean {
    const { outbox } = this.#connection
    const { maxBytes } = this.#endpoint.options.slow
    // A single message always may wait, as those of channels.
    if (outbox.bufferedBytes > 0 && outbox.bufferedBytes + frame.length > maxBytes) {
      const { message } = new ScherzoError('SCZ_ERR_HUB_SLOW_BYTES', [maxBytes])
      this.#connection.close(closeCodes.policyViolation, message)
      return false
    }
    this.#connection.sendFrame(frame)
    return true
  }

  async #subscribeLater(
    channel: string,
    since: Since | null | undefined,
    answer: Promise<boolean>,
    ask: object
  ): Promise<Recovered | null | void> {
    let isWanted = false
    let allowed = false
    try {
      allowed = (await answer) === true
    } finally {
      isWanted = this.#asked?.get(channel) === ask
      if (isWanted) this.#asked?.delete(channel)
    }
    return isWanted ? this.#subscribe(channel, since, allowed) : null
  }

  #subscribe(
    channel: string,
    since: Since | null | undefined,
    allowed: boolean
  ): Promise<Recovered | null | void> {
    if (!allowed) return Promise.reject(new ScherzoError('SCZ_ERR_IDENTITY_SUBSCRIBE', [channel]))
    return this.#connection.subscribe(channel, since) ?? DONE
  }

  async #renewWith(token: string): Promise<void> {
    this.renew(await this.verify(token))
  }

  #expireWith(identity: Identity): void {
    const { expiries } = this.#endpoint.services
    if (this.#until !== null) expiries.delete(this, this.#until)
    this.#until = expiryOf(identity)
    if (this.#until !== null) expiries.add(this, this.#until)
  }
}

function notRenewed(reason: string): ScherzoError {
  return new ScherzoError('SCZ_ERR_IDENTITY_RENEW', [reason])
}

function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  return promise
}
