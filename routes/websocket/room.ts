import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Settings } from '../../core/settings.ts'
import type { Services } from './endpoint.ts'
import type { Identity } from './identity.ts'
import { refuse, refuseIdentity } from './refusals.ts'

/** How many connections a worker takes, of one kind or another. */
export class Room {
  readonly #settings: Settings
  readonly #services: Services
  #isClosing = false

  constructor(settings: Settings, services: Services) {
    this.#settings = settings
    this.#services = services
  }

  /** What comes from now on is refused. */
  close(): void {
    this.#isClosing = true
  }

  /** Where a connection counts, or null where those of one address are not counted. */
  addressOf({ ip }: FastifyRequest): string | null {
    return this.#settings.maxSocketsPerAddress > 0 ? ip : null
  }

  /** @throws SCZ_ERR_WS_BUSY, SCZ_ERR_WS_ADDRESS */
  check({ ip }: FastifyRequest, reply: FastifyReply): void {
    const { roster, addresses } = this.#services
    if (this.#isClosing || roster.size >= this.#settings.maxSockets) throw refuse(reply, 'busy')
    if (isFull(addresses.count(ip), this.#settings.maxSocketsPerAddress))
      throw refuseIdentity(reply, 'SCZ_ERR_WS_ADDRESS')
  }

  /** Whether there still is some, where a while has passed. */
  isFor({ ip }: FastifyRequest, identity: Identity | null): boolean {
    const { roster, addresses, identities } = this.#services
    const { maxSockets, maxSocketsPerAddress, maxSocketsPerIdentity } = this.#settings
    if (this.#isClosing || roster.size >= maxSockets) return false
    if (isFull(addresses.count(ip), maxSocketsPerAddress)) return false
    return identity === null || !isFull(identities.count(identity.id), maxSocketsPerIdentity)
  }

  /** @throws SCZ_ERR_IDENTITY_LIMIT */
  checkIdentity({ id }: Identity, reply: FastifyReply): void {
    if (isFull(this.#services.identities.count(id), this.#settings.maxSocketsPerIdentity))
      throw refuseIdentity(reply, 'SCZ_ERR_IDENTITY_LIMIT')
  }
}

/** @param most 0 for no limit */
function isFull(count: number, most: number): boolean {
  return most > 0 && count >= most
}
