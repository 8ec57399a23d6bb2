import type { Published } from './settler.ts'

/** Where a message stands in its channel. An epoch is 16 bytes, written as 32 hexadecimal digits. */
export interface Place {
  readonly epoch: string
  readonly offset: number
}

/** How much of its past a channel keeps. */
export interface Retention {
  /** Messages. */
  readonly size: number
  /** Seconds. */
  readonly age: number
}

/** A message on its way to the broker. */
export interface Outgoing {
  readonly channel: string
  readonly data: Uint8Array
  readonly isText: boolean
  readonly key: string
  readonly meta: string
  /** While it is remembered, a second message of the channel with the same one gets the place of the first; '' is none. */
  readonly idempotencyKey: string
  /** Null where the channel keeps nothing. */
  readonly retention: Retention | null
}

/** A message as the broker delivers it. */
export interface Delivery extends Place {
  readonly channel: string
  /** When it was published, in milliseconds since 1970. */
  readonly time: number
  readonly data: Uint8Array
  readonly isText: boolean
  readonly key: string
  readonly meta: string
}

/** Which part of a channel's past is asked for. */
export interface PastQuery {
  /** Of `after`; where the channel has another one, everything that is kept is meant. Null: whatever it is. */
  readonly epoch: string | null
  /** The messages behind this offset, the oldest first to be had; null: the last ones. */
  readonly after: number | null
  /** 0: only the place is asked for. */
  readonly limit: number
  /** So many bytes, but one message in any case. */
  readonly maxBytes: number
  readonly retention: Retention | null
}

/** Consecutive messages, and the place of the channel's last one when they were read. */
export interface Past extends Place {
  /** The offset of the first message here; where there is none, of the first that could still be had. */
  readonly first: number
  readonly messages: readonly Delivery[]
}

/** What a broker tells. Nothing is told before `connect()` has resolved. */
export interface BrokerListener {
  /** In the order of the offsets, but some may be missing: the connection may have been lost in between. */
  onDelivery(delivery: Delivery): void
  /** All subscriptions are in force again. What came in between has to be looked for. */
  onReturn(): void
  /** What another instance sent with `signal()`. */
  onSignal(signal: Uint8Array): void
  /** A word for the log. */
  onNotice(level: 'warn' | 'info', message: string): void
}

export interface BrokerFigures {
  /** Whether it answers. */
  readonly isReachable: boolean
  /** Messages without an answer so far. */
  readonly pending: number
  /** How long the oldest of them has waited, in milliseconds. */
  readonly lag: number
  /** How often a connection was lost and came back. */
  readonly reconnects: number
}

/**
 * What carries the messages between instances: it gives each message its place, delivers it to the instances that have subscribed
 * to its channel, and keeps what the channel's rule says. Without one, the sequencer does all of that itself.
 *
 * Offsets of a channel count from 1 on, without holes. When the broker has lost a channel it begins anew in another epoch.
 */
export interface Broker {
  /** Its kind and address, without credentials. */
  readonly name: string
  /** The most bytes that one message may have. */
  readonly maxMessageBytes: number
  readonly figures: BrokerFigures
  /**
   * To be called once.
   *
   * @throws SCZ_ERR_BROKER_UNREACHABLE, SCZ_ERR_BROKER_CREDENTIALS, SCZ_ERR_BROKER_VERSION
   */
  connect(listener: BrokerListener): Promise<void>
  /**
   * Messages of a channel get their offsets in the order of the calls. While the broker is away they wait.
   *
   * @throws SCZ_ERR_BROKER_TIMEOUT, SCZ_ERR_BROKER_LOST, SCZ_ERR_BROKER_REFUSED by the promise
   */
  publish(message: Outgoing): Promise<Published>
  /** Resolves when everything that is published from then on will be delivered, or missed by a loss of the connection. */
  subscribe(channels: readonly string[]): Promise<void>
  unsubscribe(channels: readonly string[]): void
  /** A channel that has had no message gets its epoch by this. */
  past(channel: string, query: PastQuery): Promise<Past>
  /** Begins the channel anew where it has this epoch and is before this place: it has gone back behind what was delivered. */
  renew(channel: string, place: Place): Promise<void>
  /** Sends to all other instances; resolves with how many there are, or null where nobody knows. */
  signal(signal: Uint8Array): Promise<number | null>
  close(): Promise<void>
}
