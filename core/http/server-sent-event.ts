/** One event of an event stream. */
export interface ServerSentEvent {
  /** Any text; its line breaks, whichever they are, arrive as LF. */
  readonly data: string
  /** What listeners of the client are registered for. Without it the client takes "message". */
  readonly event?: string
  /** What a client that comes back gives in Last-Event-ID. Without it the one before stays. */
  readonly id?: string
  /** How long the client should wait before it comes back, in milliseconds. */
  readonly retry?: number
}

/** The media type of an event stream, which is always UTF-8. */
export const EVENT_STREAM_TYPE = 'text/event-stream'

/**
 * An event as it is sent (HTML Living Standard, 9.2.5).
 *
 * @throws RangeError for a name or an id with a line break, which would begin another field, or an id with NULL, which clients
 *   leave out
 */
export function eventText({ data, event, id, retry }: ServerSentEvent): string {
  let text = ''
  if (event !== undefined) text += `event: ${oneLine(event)}\n`
  if (id !== undefined) text += `id: ${oneLine(id)}\n`
  if (retry !== undefined) text += `retry: ${retry}\n`
  for (const line of data.split(LINE_BREAK)) text += `data: ${line}\n`
  return `${text}\n`
}

/** What clients skip: it shows them, and whatever stands between, that the stream lives. */
export function commentText(comment = ''): string {
  return `${comment
    .split(LINE_BREAK)
    .map((line) => `: ${line}\n`)
    .join('')}\n`
}

/**
 * The id of the last event that a client had before it came back, or null. Clients send it as UTF-8, and Node gives every
 * byte of a header as a character of its own.
 *
 * @param header Last-Event-ID, as Node gives it
 */
export function lastEventId(header: string | readonly string[] | undefined): string | null {
  if (typeof header !== 'string' || header === '') return null
  return Buffer.from(header, 'latin1').toString('utf8')
}

const LINE_BREAK = /\r\n|\r|\n/

function oneLine(value: string): string {
  if (/[\r\n\0]/.test(value))
    throw new RangeError(`A field of an event must be one line: ${JSON.stringify(value)}`)
  return value
}
