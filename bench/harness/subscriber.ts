import { connect, type Socket } from 'node:net'
import { BYTES_AFTER_SEQUENCE, MESSAGE_BYTES, SEQUENCE_DIGITS } from '../broadcast/message.ts'
import { CLOSE, composePong, composeText, PING, TEXT, walkFrames } from './frames.ts'
import { Handshake } from './handshake.ts'
import { type Dialogue, dialogues, type Protocol, type Speaker } from './dialogue.ts'
import { Sequence } from './sequence.ts'

/** Looks at every message that arrived in order. */
export interface Observer {
  see: (channel: number, sequence: number, bytes: Buffer, end: number) => void
}

/** What all subscribers of a process share. */
export interface Shared {
  port: number
  protocol: Protocol
  observer: Observer | null
}

// Room in front of what is read, where the beginning of a frame goes that an earlier read has cut. No frame is longer.
const HEADROOM = 65_536
const READ_BYTES = 262_144

// One for all connections: a read is done with before the next one starts.
const memory = Buffer.allocUnsafeSlow(HEADROOM + READ_BYTES)
const readMemory = memory.subarray(HEADROOM)

const ZERO = 48

/** One WebSocket that is cheap to receive on: it checks the sequence in the bytes and parses nothing else. */
export class Subscriber implements Speaker {
  readonly channel: number
  readonly sequence: Sequence
  epoch: string | null
  recovered = 0
  /** Why the connection has ended, or null. */
  ended: string | null = null
  /** Settles when the handshake is answered. */
  readonly open: Promise<void>
  /** Settles when it gets every message. */
  readonly ready: Promise<void>
  readonly #shared: Shared
  readonly #dialogue: Dialogue
  readonly #socket: Socket
  #handshake: Handshake | null
  #cut: Buffer | null = null
  #becomeOpen: () => void = () => {}
  #becomeReady: () => void = () => {}

  /** @param before the connection that it takes the place of, and goes on from */
  constructor(shared: Shared, channel: number, path: string, before: Subscriber | null = null) {
    this.channel = channel
    this.sequence = before?.sequence ?? new Sequence()
    this.epoch = before?.epoch ?? null
    this.#shared = shared
    this.#dialogue = dialogues[shared.protocol]
    this.#handshake = new Handshake(shared.port, path, this.#dialogue.headers)
    this.#socket = connect({
      port: shared.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: readMemory, callback: (length) => this.#read(length) }
    })
    const open = Promise.withResolvers<void>()
    const ready = Promise.withResolvers<void>()
    this.#becomeOpen = open.resolve
    this.#becomeReady = ready.resolve
    this.open = open.promise
    this.ready = ready.promise
    // Who waits for neither learns from `ended` what became of it.
    this.open.catch(() => {})
    this.ready.catch(() => {})
    const fail = (error: Error): void => {
      this.ended ??= error.message
      open.reject(error)
      ready.reject(error)
    }
    this.#socket.once('error', fail)
    this.#socket.once('close', () => fail(new Error(this.ended ?? 'the connection was lost')))
    this.#socket.write(this.#handshake.request)
  }

  /** Ends the connection without a word to the server. */
  cut(): void {
    this.#socket.destroy()
  }

  say(text: string): void {
    this.#socket.write(composeText(text))
  }

  becomeReady(): void {
    this.#becomeReady()
  }

  /** Called for every frame, by the walker. */
  take(first: number, bytes: Buffer, start: number, end: number): void {
    if (first === TEXT && end - start === MESSAGE_BYTES) {
      const sequence = readDigits(bytes, end - BYTES_AFTER_SEQUENCE, SEQUENCE_DIGITS)
      if (sequence === this.sequence.expected) {
        this.sequence.expected = sequence + 1
        this.sequence.delivered++
        this.#shared.observer?.see(this.channel, sequence, bytes, end)
      } else if (Number.isInteger(sequence)) {
        this.sequence.takeUnexpected(sequence)
      }
    } else {
      this.#takeOther(first, bytes, start, end)
    }
  }

  #read(length: number): boolean {
    if (this.#handshake === null) this.#walk(length)
    else this.#shakeHands(this.#handshake, length)
    return true
  }

  #walk(length: number): void {
    let start = HEADROOM
    if (this.#cut !== null) {
      start -= this.#cut.length
      this.#cut.copy(memory, start)
    }
    const end = HEADROOM + length
    const at = walkFrames(memory, start, end, this)
    this.#cut = at === end ? null : Buffer.from(memory.subarray(at, end))
  }

  #shakeHands(handshake: Handshake, length: number): void {
    const behind = handshake.push(readMemory.subarray(0, length))
    if (behind === null) return
    this.#handshake = null
    this.#becomeOpen()
    this.#dialogue.begin(this)
    behind.copy(readMemory)
    this.#walk(behind.length)
  }

  #takeOther(first: number, bytes: Buffer, start: number, end: number): void {
    if (first === PING) {
      this.#socket.write(composePong(bytes.subarray(start, end)))
    } else if (first === CLOSE) {
      this.ended = `closed by the server: ${bytes.readUInt16BE(start)} ${bytes.toString('utf8', start + 2, end)}`
      this.#socket.end()
    } else if (first === TEXT) {
      this.#dialogue.take(this, bytes.toString('utf8', start, end))
    } else {
      throw new Error(`Not expected: ${first} ${bytes.toString('utf8', start, end)}`)
    }
  }
}

/** The number whose digits end before `end`; not an integer, or a wrong one, where there are none. */
export function readDigits(bytes: Buffer, end: number, digits: number): number {
  let value = 0
  for (let at = end - digits; at < end; at++) value = value * 10 + (bytes[at] as number) - ZERO
  return value
}
