import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Settings } from '../../core/settings.ts'
import type { Services } from './endpoint.ts'
import type { Identity } from './identity.ts'
import { refuse, refuseIdentity } from './refusals.ts'

/** How many connections a worker takes, of one kind or another. */
export class Room {
  readonly #settings: Settings
  readonly #services: Services
  /** Whether the worker is about to go: no more come in. */
  isClosing = false

  constructor(settings: Settings, services: Services) {
    this.#settings = settings
    this.#services = services
  }

  /** Where a connection counts, or null where those of one address are not counted: once asked for, its socket keeps it. */
  addressOf(request: FastifyRequest): string | null {
    return this.#settings.maxSocketsPerAddress > 0 ? request.ip : null
  }

  /** @throws SCZ_ERR_WS_BUSY, SCZ_ERR_WS_ADDRESS */
  check(request: FastifyRequest, reply: FastifyReply): void {
    if (this.#isFull) throw refuse(reply, 'busy')
    if (this.#isAddressFull(request)) throw refuseIdentity(reply, 'SCZ_ERR_WS_ADDRESS')
  }

  /** Whether there still is some, where a while has passed. */
  isFor(request: FastifyRequest, identity: Identity | null): boolean {
    if (this.#isFull || this.#isAddressFull(request)) return false
    return identity === null || !this.#isIdentityFull(identity)
  }

  /** @throws SCZ_ERR_IDENTITY_LIMIT */
  checkIdentity(identity: Identity, reply: FastifyReply): void {
    if (this.#isIdentityFull(identity)) throw refuseIdentity(reply, 'SCZ_ERR_IDENTITY_LIMIT')
  }

  get #isFull(): boolean {
    return this.isClosing || this.#services.roster.size >= this.#settings.maxSockets
  }

  #isAddressFull(request: FastifyRequest): boolean {
    const address = this.addressOf(request)
    return address !== null && this.#services.addresses.count(address) >= this.#settings.maxSocketsPerAddress
  }

  #isIdentityFull({ id }: Identity): boolean {
    const { maxSocketsPerIdentity } = this.#settings
    return maxSocketsPerIdentity > 0 && this.#services.identities.count(id) >= maxSocketsPerIdentity
  }
}
