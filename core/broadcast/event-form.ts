import { eventText } from '../http/server-sent-event.ts'
import { isTextFrame, payloadOf } from '../websocket/frames.ts'
import { asciiJson } from './envelope.ts'
import type { EventForm } from './format.ts'
import type { Message } from './message.ts'
import type { Since } from './since.ts'

/**
 * A message as a server-sent event, for all who follow its channel that way: its envelope, as in a WebSocket, or for bytes
 * `{"channel":"ticks","offset":12,"base64":"AQL/"}`. What is broadcast has no place to come back to, and so no id.
 */
export function messageEvent(message: Message, form: EventForm): Buffer {
  const { channel, frame, epoch, offset } = message
  if (message.isLost) return noticeEvent(frame, form, message)
  return event(form.hasIds && !channel.isBroadcast ? idField({ epoch, offset }) : '', envelopeOf(frame))
}

/**
 * What the client is told beside messages, as an event with the name of what it is: `subscribed`, `lost`, `skipped` and so on.
 *
 * @param frame a plain frame
 * @param place the offset, and its epoch, that a client which comes back goes on behind, or null: as before
 */
export function noticeEvent(frame: Buffer, { hasIds }: EventForm, place: Since | null): Buffer {
  const envelope = envelopeOf(frame)
  const name = isTextFrame(frame) ? nameOf(envelope) : null
  const id = hasIds && place !== null ? idField(place) : ''
  return event(`${name === null ? '' : `event: ${name}\n`}${id}`, envelope)
}

function idField({ epoch, offset }: Since): string {
  return `id: ${epoch}:${offset}\n`
}

/** @param fields ASCII */
function event(fields: string, envelope: Buffer): Buffer {
  // JSON has no line breaks in strings; between them they are harmless, and each begins a line of its own.
  if (envelope.includes(LF) || envelope.includes(CR))
    return Buffer.from(fields + eventText({ data: envelope.toString() }))
  const head = `${fields}data: `
  const bytes = Buffer.allocUnsafe(head.length + envelope.length + 2)
  bytes.write(head, 'latin1')
  bytes.set(envelope, head.length)
  bytes.fill(LF, bytes.length - 2)
  return bytes
}

const LF = 0x0a
const CR = 0x0d

function envelopeOf(frame: Buffer): Buffer {
  const payload = payloadOf(frame)
  if (isTextFrame(frame)) return payload
  const at = 2 + payload.readUInt16BE(0)
  const channel = payload.toString('utf8', 2, at)
  const offset = payload.readUInt32BE(at) * 2 ** 32 + payload.readUInt32BE(at + 4)
  const channelField = channel === '' ? '' : `"channel":${asciiJson(channel)},`
  // What is sent to an identity has none.
  const offsetField = offset === 0 ? '' : `"offset":${offset},`
  return Buffer.from(`{${channelField}${offsetField}"base64":"${payload.toString('base64', at + 8)}"}`)
}

/** Null for what is sent to one identity, which is a message. Notices have their own name last. */
function nameOf(envelope: Buffer): string | null {
  if (envelope.subarray(0, MESSAGE_HEAD.length).equals(MESSAGE_HEAD)) return null
  return Object.keys(JSON.parse(envelope.toString()) as object).at(-1)!
}

const MESSAGE_HEAD = Buffer.from('{"data":')
