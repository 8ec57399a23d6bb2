import { frame } from '../websocket/frames.ts'
import { BINARY, TEXT } from '../websocket/opcodes.ts'
import type { Lost } from './since.ts'

/** What a frame is made of. */
export interface EnvelopeContent {
  readonly offset: number
  /** Whether the data is JSON. */
  readonly isText: boolean
  readonly data: Uint8Array
}

/**
 * The form in which the messages of one channel reach clients. Text is JSON in a JSON envelope:
 *
 *     {"channel":"ticks","offset":12,"data":{"price":1}}
 *
 * Binary data come in a binary message, behind a header; its numbers have their first byte on top:
 *
 *     2 bytes       length of the channel's name in bytes
 *     so many       the channel's name, UTF-8
 *     8 bytes       offset
 *     all the rest  data
 *
 * What is broadcast has no channel: no "channel" in the envelope, a name of length 0 in the header.
 */
export class Envelope {
  /** ASCII, so that its length is that of its bytes. */
  readonly #channelField: string
  readonly #textHead: string
  readonly #name: Buffer

  /** @param channel the empty string for what is broadcast */
  constructor(channel: string) {
    this.#channelField = channel === '' ? '' : `"channel":${asciiJson(channel)},`
    this.#textHead = `{${this.#channelField}"offset":`
    this.#name = Buffer.from(channel)
  }

  /** A frame for all subscribers of the channel. The data are copied once, from where they are into the frame. */
  frame(content: EnvelopeContent): Buffer {
    return content.isText ? this.#textFrame(content) : this.#binaryFrame(content)
  }

  /** Tells a client which messages it missed. */
  skippedFrame(from: number, to: number, count: number): Buffer {
    return this.#noticeFrame(`"skipped":{"from":${from},"to":${to},"count":${count}}`)
  }

  /** Tells a client that asked for it where it is in the channel. */
  subscribedFrame(epoch: string, offset: number): Buffer {
    return this.#noticeFrame(`"subscribed":{"epoch":${asciiJson(epoch)},"offset":${offset}}`)
  }

  /** Tells a client that came back what can't be had any more, with the epoch if it is another one. */
  lostFrame({ from, to }: Lost, epoch: string | null, error: string | null): Buffer {
    const epochField = epoch === null ? '' : `"epoch":${asciiJson(epoch)},`
    const errorField = error === null ? '' : `"error":${asciiJson(error)},`
    return this.#noticeFrame(`${epochField}${errorField}"lost":{"from":${from},"to":${to}}`)
  }

  #noticeFrame(fields: string): Buffer {
    const text = `{${this.#channelField}${fields}}`
    const bytes = frame(TEXT, text.length)
    bytes.write(text, bytes.length - text.length, 'latin1')
    return bytes
  }

  #textFrame({ offset, data }: EnvelopeContent): Buffer {
    const head = `${this.#textHead}${offset},"data":`
    const bytes = frame(TEXT, head.length + data.length + 1)
    const at = bytes.length - data.length - 1
    bytes.write(head, at - head.length, 'latin1')
    bytes.set(data, at)
    bytes[bytes.length - 1] = CLOSING_BRACE
    return bytes
  }

  #binaryFrame({ offset, data }: EnvelopeContent): Buffer {
    const name = this.#name
    const bytes = frame(BINARY, 2 + name.length + 8 + data.length)
    const at = bytes.length - data.length
    bytes.writeUInt16BE(name.length, at - 10 - name.length)
    bytes.set(name, at - 8 - name.length)
    bytes.writeUInt32BE(Math.floor(offset / 2 ** 32), at - 8)
    bytes.writeUInt32BE(offset % 2 ** 32, at - 4)
    bytes.set(data, at)
    return bytes
  }
}

const CLOSING_BRACE = 0x7d

/** JSON whose length is that of its bytes. */
export function asciiJson(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
