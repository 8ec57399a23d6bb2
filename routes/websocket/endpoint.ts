import type { FastifyBaseLogger } from 'fastify'
import { type Compression, type Format, formatOf } from '../../core/broadcast/format.ts'
import type { Pace } from '../../core/broadcast/pace.ts'
import type { Subscriptions } from '../../core/broadcast/subscriptions.ts'
import { compressesItself } from '../../core/websocket/deflate-protocol.ts'
import type { ParserSettings } from '../../core/websocket/frame-parser.ts'
import type { AcceptedHandshake } from '../../core/websocket/handshake.ts'
import type { Connection } from './connection.ts'
import type { Deadlines } from './deadlines.ts'
import type { Expiries } from './expiries.ts'
import type { Identities } from './identities.ts'
import type { EndpointOptions } from './options.ts'
import type { Roster } from './roster.ts'
import type { Tally } from './tally.ts'

/** What all WebSockets of a worker share. */
export interface Services {
  readonly subscriptions: Subscriptions
  readonly roster: Roster<Connection>
  readonly deadlines: Deadlines
  readonly identities: Identities
  readonly expiries: Expiries
  /** Sockets by the addresses of their clients. */
  readonly addresses: Tally
}

/** What all WebSockets of a route share. */
export class Endpoint {
  readonly options: EndpointOptions
  readonly services: Services
  readonly log: FastifyBaseLogger
  readonly #plain: ParserSettings
  readonly #deflating: ParserSettings

  constructor(options: EndpointOptions, services: Services, log: FastifyBaseLogger) {
    this.options = options
    this.services = services
    this.log = log
    const { maxMessageBytes, maxFragments } = options
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
    return this.options.authenticate !== null || this.options.authorize !== null
  }

  /** Whether the app ever sees the sockets of this route. */
  get hasHandlers(): boolean {
    const { onMessage, onOpen, onClose } = this.options
    return onMessage !== null || onOpen !== null || onClose !== null
  }
}
