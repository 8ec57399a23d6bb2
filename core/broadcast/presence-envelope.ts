import { Envelope, type EnvelopeContent, asciiJson } from './envelope.ts'
import { frame } from '../websocket/frames.ts'
import { TEXT } from '../websocket/opcodes.ts'

/** The form in which clients are told who is in a channel: `{"channel":"room:1","presence":{"count":1,"left":["bob"]}}`. */
export class PresenceEnvelope extends Envelope {
  readonly #head: string

  /** @param channel the one that is watched */
  constructor(channel: string) {
    super(channel)
    this.#head = `{"channel":${asciiJson(channel)},"presence":`
  }

  override frame({ data }: EnvelopeContent): Buffer {
    const bytes = frame(TEXT, this.#head.length + data.length + 1)
    const at = bytes.length - data.length - 1
    bytes.write(this.#head, at - this.#head.length, 'latin1')
    bytes.set(data, at)
    bytes.write('}', bytes.length - 1, 'latin1')
    return bytes
  }
}
