import type { FastifyBaseLogger } from 'fastify'
import type { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import type { ScherzoError } from '../../core/errors.ts'
import type { Services } from './endpoint.ts'
import type { EndpointOptions } from './options.ts'
import type { Permissions } from './permissions.ts'

/** A connection of which it is known whose it is. */
export interface Standee {
  readonly isOpen: boolean
  readonly outbox: Outbox
  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> | undefined
  /** Unsubscribes without having been asked to by the client. */
  withdraw(channel: string): void
  /** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE */
  watchPresence(channel: string): void
  unwatchPresence(channel: string): void
  /** Sends a plain frame that others get, too. */
  sendFrame(frame: Buffer): void
  close(code: number, reason: string): void
  closeFor(error: ScherzoError): void
}

/** What such a connection has of its route. */
export interface Place {
  readonly services: Pick<Services, 'attendance' | 'expiries' | 'identities'>
  readonly permissions: Permissions
  readonly options: Pick<EndpointOptions, 'presenceData' | 'slow' | 'tokens'>
  readonly log: FastifyBaseLogger
}
