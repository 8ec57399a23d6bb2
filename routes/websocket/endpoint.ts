import type { FastifyBaseLogger } from 'fastify'
import type { Attending } from '../../core/broadcast/attendance.ts'
import type { ChannelRules } from '../../core/broadcast/channel-rules.ts'
import { type Compression, type Format, formatOf } from '../../core/broadcast/format.ts'
import type { Pace } from '../../core/broadcast/pace.ts'
import type { Subscriptions } from '../../core/broadcast/subscriptions.ts'
import type { Rate } from '../../core/token-bucket.ts'
import { compressesItself } from '../../core/websocket/deflate-protocol.ts'
import type { ParserSettings } from '../../core/websocket/frame-parser.ts'
import type { AcceptedHandshake } from '../../core/websocket/handshake.ts'
import type { ChannelCalls } from '../protocol/client.ts'
import type { Deadlines } from './deadlines.ts'
import type { Expiries } from './expiries.ts'
import type { Identities } from './identities.ts'
import type { EndpointOptions } from './options.ts'
import { rateOf } from './limits.ts'
import { Permissions } from './permissions.ts'
import type { Resident, Roster } from './roster.ts'
import type { Tally } from './tally.ts'

/** What all WebSockets of a worker share. */
export interface Services {
  readonly subscriptions: Subscriptions
  readonly attendance: Attending
  readonly calls: ChannelCalls
  readonly rules: ChannelRules
  readonly roster: Roster<Resident>
  readonly deadlines: Deadlines
  readonly identities: Identities
  readonly expiries: Expiries
  /** Sockets by the addresses of their clients. */
  readonly addresses: Tally
}

/** What all WebSockets of a route share. */
export class Endpoint {
  readonly options: EndpointOptions
  readonly permissions: Permissions
  readonly services: Services
  readonly log: FastifyBaseLogger
  /** How fast the messages of a client without the protocol are read, or null for as fast as they come. */
  readonly pace: Rate | null
  readonly #plain: ParserSettings
  readonly #deflating: ParserSettings

  constructor(options: EndpointOptions, services: Services, log: FastifyBaseLogger) {
    this.options = options
    this.permissions = new Permissions(services.rules, options.authorize)
    this.services = services
    this.log = log
    const { maxMessageBytes, maxFragments, limits } = options
    this.pace = rateOf(limits.messagesPerSecond ?? 0, limits.messageBurst)
    this.#plain = { maxMessageBytes, maxFragments, deflate: false }
    this.#deflating = { maxMessageBytes, maxFragments, deflate: true }
  }

  parserSettings(deflate: boolean): ParserSettings {
    return deflate ? this.#deflating : this.#plain
  }

  /** How a client gets the messages of its channels. */
  formatFor(handshake: AcceptedHandshake, pace: Pace | null): Format {
    return formatOf({ pace, isBinary: this.options.isBinary, compression: this.#compressionFor(handshake) })
  }

  #compressionFor({ protocol, deflate }: AcceptedHandshake): Compression | null {
    const { compress, compressionLevel: level, compressionThreshold: threshold } = this.options
    if (!compress) return null
    if (compressesItself(protocol)) return { by: 'subprotocol', level, threshold, windowBits: 15 }
    const windowBits = deflate?.maxWindowBits ?? 0
    // zlib makes no smaller window than 9 bits.
    if (windowBits < 9) return null
    return { by: 'extension', level, threshold, windowBits: windowBits === 15 ? 15 : 9 }
  }

  /** Whether it matters who is at the other end. */
  get hasIdentities(): boolean {
    const { authenticate, authorize } = this.options
    return authenticate !== null || authorize !== null || this.services.rules.sayWhoSubscribes
  }

  /** Whether the app ever sees the sockets of this route. */
  get hasHandlers(): boolean {
    const { onMessage, onOpen, onClose } = this.options
    return onMessage !== null || onOpen !== null || onClose !== null
  }
}
