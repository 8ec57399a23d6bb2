// How one interface of channels gives a client its types:
//
//   interface Channels {
//     ticks: { price: number }
//     [room: `room:${string}`]: ChatMessage
//   }

/** Channels without a contract: any name, and data that has to be looked at. */
export interface AnyChannels {
  [channel: string]: unknown
}

export type ChannelName<Channels extends object> = Extract<keyof Channels, string>

export type ChannelData<Channels extends object, Name extends ChannelName<Channels>> = Channels[Name]

/** What a client may publish: JSON. Bytes come from the server only. */
export type Publishable<Data> = Data extends Uint8Array ? never : Data

/** A place in a channel: behind the message with this offset; 0 is before the first one. */
export interface Position {
  /** Of the log that the offset counts in: another one when the server's process has started anew. */
  readonly epoch: string
  readonly offset: number
}

/** A message of a channel. */
export interface ChannelMessage<Data = unknown> extends Position {
  readonly channel: string
  /** A value of JSON, or a Uint8Array where bytes were published. */
  readonly data: Data
}

/** What a publish resolves with: where the message stands in its channel. */
export interface Published extends Position {
  /** The message was there already: an earlier attempt had arrived. */
  readonly duplicate?: boolean
}

/** A message as `history` gives it. */
export interface PastMessage<Data = unknown> extends ChannelMessage<Data> {
  /** When it was published, in milliseconds since 1970. */
  readonly time: number
  /** What it was published with, or null. */
  readonly key: string | null
}

/** What a channel had before, the oldest message first. */
export interface History<Data = unknown> extends Position {
  readonly messages: readonly PastMessage<Data>[]
}

export interface HistoryOptions {
  /** Gives what came after this. @default the channel's last messages */
  readonly since?: Position
  /** The most messages to get, from 1 to 1000. @default 100 */
  readonly limit?: number
}

export interface PublishOptions {
  /** For subscribers with the policy `latest`, a later message with the same key stands in for this one. */
  readonly key?: string
  /** The server takes a message with the same key once. @default one of the client's own for each call */
  readonly idempotencyKey?: string
}
