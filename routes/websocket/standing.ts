import { presenceNameOf } from '../../core/broadcast/data.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { isUnavailable } from './admission.ts'
import type { Place, Standee } from './standee.ts'
import type { Perishable } from './expiries.ts'
import type { Identified } from './identities.ts'
import { checkIdentity, expiryOf, hasExpired } from './identity.ts'
import type { ChannelAction, Identity } from './identity.ts'
import { shownOf } from './presence-data.ts'
import { Seats } from './seats.ts'

const DONE: Promise<void> = Promise.resolve()

/** Who is at the other end of a connection, if anybody asked, and what that lets it do. */
export class Standing implements Identified, Perishable {
  readonly #connection: Standee
  readonly #endpoint: Place
  #identity: Identity | null
  /** When the identity ends, in seconds since 1970. */
  #until: number | null
  /** Subscriptions that `authorize` has not decided about, by channel. */
  #asked: Map<string, object> | null
  /** Made for the first channel in which it is to be known who is there. */
  #seats: Seats | null

  constructor(connection: Standee, endpoint: Place) {
    this.#connection = connection
    this.#endpoint = endpoint
    this.#identity = null
    this.#until = null
    this.#asked = null
    this.#seats = null
  }

  get identity(): Identity | null {
    return this.#identity
  }

  /** When the identity ends, in seconds since 1970; null for never. */
  get expires(): number | null {
    return this.#until
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
    this.#seats?.leaveAll()
  }

  /** It has subscribed to the channel. */
  attend(channel: string): void {
    const { attendance } = this.#endpoint.services
    if (this.#identity === null || !attendance.isAsked(channel)) return
    this.#seats ??= new Seats(attendance, this.#identity.id, this.#shown(this.#identity))
    this.#seats.take(channel)
  }

  /** It is subscribed to the channel no longer. */
  absent(channel: string): void {
    this.#seats?.leave(channel)
  }

  /**
   * Tells it who is in the channel if the identity may know.
   *
   * @throws SCZ_ERR_IDENTITY_PRESENCE, SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE, by the promise
   */
  watchPresence(channel: string): Promise<void> {
    return quiet(this.#watchPresence(channel))
  }

  /** What is still being decided about does not come back. */
  unwatchPresence(channel: string): void {
    this.#asked?.delete(presenceNameOf(channel))
    this.#connection.unwatchPresence(channel)
  }

  /**
   * Subscribes if the identity may. What nobody awaits must not end the worker: clients choose what they ask for.
   *
   * @throws SCZ_ERR_IDENTITY_SUBSCRIBE, by the promise; SCZ_ERR_HUB_CHANNEL
   */
  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> {
    const allowed = this.#endpoint.permissions.mayApp(this.#identity, channel, 'subscribe')
    if (typeof allowed === 'boolean') return quiet(this.#subscribe(channel, since, allowed))
    const ask = {}
    this.#asked ??= new Map()
    this.#asked.set(channel, ask)
    return quiet(this.#subscribeLater(channel, since, allowed, ask))
  }

  /** A subscription that is still being decided about does not come back. */
  unsubscribe(channel: string): void {
    this.#asked?.delete(channel)
    this.#connection.withdraw(channel)
  }

  async may(action: ChannelAction, channel: string): Promise<boolean> {
    return this.#endpoint.permissions.mayApp(this.#identity, channel, action)
  }

  /** @throws SCZ_ERR_IDENTITY_RENEW, SCZ_ERR_IDENTITY_VALUE */
  renew(given: Identity): void {
    const identity = checkIdentity(given)
    if (!this.#connection.isOpen) return
    if (this.#identity === null) throw notRenewed('it has none')
    if (identity.id !== this.#identity.id) throw notRenewed('the new one is somebody else')
    if (hasExpired(identity)) throw notRenewed('the new one has expired')
    this.#identity = identity
    this.#seats?.show(this.#shown(identity))
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
    this.unwatchPresence(channel)
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

  /** A mistake of the app's function must not keep anybody out. */
  #shown(identity: Identity): string | null {
    const { options, log } = this.#endpoint
    if (options.presenceData === null) return null
    try {
      return shownOf(options.presenceData, identity)
    } catch (error) {
      log.error({ err: error }, 'What others should see of an identity is left out')
      return null
    }
  }

  async #watchPresence(channel: string): Promise<void> {
    const name = presenceNameOf(channel)
    const ask = {}
    this.#asked ??= new Map()
    this.#asked.set(name, ask)
    let isWanted = false
    let allowed = false
    try {
      allowed = await this.may('presence', channel)
    } finally {
      isWanted = this.#asked?.get(name) === ask
      if (isWanted) this.#asked?.delete(name)
    }
    if (!isWanted) return
    if (!allowed) throw new ScherzoError('SCZ_ERR_IDENTITY_PRESENCE', [channel])
    this.#connection.watchPresence(channel)
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
      allowed = await answer
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
