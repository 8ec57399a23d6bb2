import { channelName } from '../broadcast/message.ts'
import type { Sequence } from './sequence.ts'

export const protocols = ['websocket', 'scherzo.v1', 'socket.io'] as const
export type Protocol = (typeof protocols)[number]

/** Where a connection is in a dialogue. */
export interface Speaker {
  readonly channel: number
  readonly sequence: Sequence
  /** The epoch of the sequence, once the server has told it. */
  epoch: string | null
  /** How many messages it was given when it came back. */
  recovered: number
  say(text: string): void
  /** It gets every message from now on. */
  becomeReady(): void
}

/** What a client hears and says beside messages. */
export interface Dialogue {
  /** What the handshake asks for, or null. */
  readonly headers: readonly string[]
  /** The handshake is answered. */
  begin(speaker: Speaker): void
  /** A text that is no message. */
  take(speaker: Speaker, text: string): void
}

export const dialogues: Readonly<Record<Protocol, Dialogue>> = {
  websocket: {
    headers: [],
    begin: (speaker) => speaker.becomeReady(),
    take: takeNotice
  },

  'scherzo.v1': {
    headers: ['Sec-WebSocket-Protocol: scherzo.v1'],
    begin: () => {},
    take(speaker, text) {
      const { connected, id, ok } = JSON.parse(text) as Partial<Record<'connected' | 'id' | 'ok', unknown>>
      if (connected !== undefined) speaker.say(subscribeRequest(speaker))
      else if (id === undefined) takeNotice(speaker, text)
      else if (ok === undefined) throw new Error(`Not expected: ${text}`)
      else takeSubscribed(speaker, ok as Subscribed)
    }
  },

  /** Engine.IO 4: 0 opens, 2 is a ping that 3 answers. Socket.IO 5: 40 asks for the namespace and answers so. */
  'socket.io': {
    headers: [],
    begin: () => {},
    take(speaker, packet) {
      if (packet.startsWith('0')) speaker.say('40')
      else if (packet.startsWith('40')) speaker.becomeReady()
      else if (packet === '2') speaker.say('3')
      else throw new Error(`Not expected: ${packet}`)
    }
  }
}

/** From whom it has had messages it wants what it has missed, the others what comes. Offsets count from 1. */
function subscribeRequest({ channel, epoch, sequence }: Speaker): string {
  const since = epoch === null ? null : { epoch, offset: sequence.expected }
  return JSON.stringify({ id: 1, action: 'subscribe', channel: channelName(channel), since })
}

interface Notice {
  skipped?: Span
  lost?: Span
  subscribed?: { epoch: string }
}

interface Span {
  from: number
  to: number
}

/** Scherzo names what it left out by offsets. */
function takeNotice(speaker: Speaker, text: string): void {
  const { skipped, lost, subscribed } = JSON.parse(text) as Notice
  const gone = skipped ?? lost
  if (gone !== undefined) speaker.sequence.takeSkipped(gone.from - 1, gone.to - 1)
  else if (subscribed !== undefined) speaker.epoch = subscribed.epoch
  else throw new Error(`Not expected: ${text}`)
}

interface Subscribed {
  offset: number
  count: number
}

/** The answer comes behind what had been missed. */
function takeSubscribed(speaker: Speaker, { offset, count }: Subscribed): void {
  const { expected } = speaker.sequence
  if (expected < offset)
    throw new Error(`The answer says that all was given up to offset ${offset}, but it was up to ${expected}`)
  speaker.recovered = count
  speaker.becomeReady()
}
