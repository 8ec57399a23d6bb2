import type { Pace } from './pace.ts'

/**
 * The form in which a subscriber gets its messages. Those of a channel that have the same one get the same bytes, so there
 * is one object for each, which `formatOf` gives.
 */
export interface Format {
  /** Null: every message is sent by itself. */
  readonly pace: Pace | null
  /** Whether JSON comes in binary messages. */
  readonly isBinary: boolean
  readonly compression: Compression | null
  /** Not null: server-sent events in the place of WebSocket frames. Nothing else applies then. */
  readonly events: EventForm | null
}

export interface EventForm {
  /** Whether the id of an event is the place of its message. Otherwise the outbox gives each client ids of its own. */
  readonly hasIds: boolean
}

export interface Compression {
  /**
   * - `extension`: permessage-deflate, which the client's WebSocket undoes.
   * - `subprotocol`: binary messages that the client itself inflates, see docs/WEBSOCKETS.md.
   */
  readonly by: 'extension' | 'subprotocol'
  /** From 1 to 9. */
  readonly level: number
  /** Shorter messages stay as they are, in bytes. */
  readonly threshold: number
  /** The largest window that the client takes. Fewer kinds of windows are more subscribers that share. */
  readonly windowBits: 9 | 15
}

export const PLAIN: Format = Object.freeze({ pace: null, isBinary: false, compression: null, events: null })

/** Frames unless it says otherwise. */
type FormatChoice = Omit<Format, 'events'> & { readonly events?: EventForm | null }

/** What is given here comes from routes, or is one of a few choices of the client: there are not many formats. */
export function formatOf({ pace, isBinary, compression, events = null }: FormatChoice): Format {
  if (pace === null && !isBinary && compression === null && events === null) return PLAIN
  const key = JSON.stringify([pace, isBinary, compression, events])
  let format = known.get(key)
  if (format === undefined) known.set(key, (format = Object.freeze({ pace, isBinary, compression, events })))
  return format
}

const known = new Map<string, Format>()
