import { connect, type Socket } from 'node:net'
import { BYTES_AFTER_SEQUENCE, MESSAGE_BYTES, SEQUENCE_DIGITS } from '../broadcast/message.ts'
import { CLOSE, composePong, composeText, PING, TEXT, walkFrames } from './frames.ts'
import { Handshake } from './handshake.ts'
import { Sequence } from './sequence.ts'

export const protocols = ['websocket', 'socket.io'] as const
export type Protocol = (typeof protocols)[number]

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
export class Subscriber {
  readonly sequence: Sequence = new Sequence()
  /** Why the connection has ended, or null. */
  ended: string | null = null
  readonly ready: Promise<void>
  readonly #shared: Shared
  readonly #channel: number
  readonly #socket: Socket
  #handshake: Handshake | null
  #cut: Buffer | null = null
  #becomeReady: () => void = () => {}

  constructor(shared: Shared, channel: number, path: string) {
    this.#shared = shared
    this.#channel = channel
    this.#handshake = new Handshake(shared.port, path)
    this.#socket = connect({
      port: shared.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: readMemory, callback: (length) => this.#read(length) }
    })
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve
      this.#socket.once('error', reject)
      this.#socket.once('close', () => {
        this.ended ??= 'the connection was lost'
        reject(new Error(this.ended))
      })
    })
    this.#socket.write(this.#handshake.request)
  }

  /** Called for every frame, by the walker. */
  take(first: number, bytes: Buffer, start: number, end: number): void {
    if (first === TEXT && end - start >= MESSAGE_BYTES) {
      const sequence = readDigits(bytes, end - BYTES_AFTER_SEQUENCE, SEQUENCE_DIGITS)
      if (sequence === this.sequence.expected) {
        this.sequence.expected = sequence + 1
        this.sequence.delivered++
        this.#shared.observer?.see(this.#channel, sequence, bytes, end)
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
    if (this.#shared.protocol === 'websocket') this.#becomeReady()
    behind.copy(readMemory)
    this.#walk(behind.length)
  }

  #takeOther(first: number, bytes: Buffer, start: number, end: number): void {
    if (first === PING) {
      this.#socket.write(composePong(bytes.subarray(start, end)))
    } else if (first === CLOSE) {
      this.ended = `closed by the server: ${bytes.readUInt16BE(start)} ${bytes.toString('utf8', start + 2, end)}`
      this.#socket.end()
    } else if (first === TEXT && this.#shared.protocol === 'socket.io') {
      this.#takePacket(bytes.toString('utf8', start, end))
    } else if (first === TEXT) {
      this.#takeNotice(bytes.toString('utf8', start, end))
    } else {
      throw new Error(`Not expected: ${first} ${bytes.toString('utf8', start, end)}`)
    }
  }

  /** Scherzo names what it left out by offsets, which count from 1. */
  #takeNotice(text: string): void {
    const { skipped } = JSON.parse(text) as { skipped: { from: number; to: number } }
    this.sequence.takeSkipped(skipped.from - 1, skipped.to - 1)
  }

  /** Engine.IO 4: 0 opens, 2 is a ping that 3 answers. Socket.IO 5: 40 asks for the namespace and answers so. */
  #takePacket(packet: string): void {
    if (packet.startsWith('0')) this.#socket.write(composeText('40'))
    else if (packet.startsWith('40')) this.#becomeReady()
    else if (packet === '2') this.#socket.write(composeText('3'))
    else throw new Error(`Not expected: ${packet}`)
  }
}

/** The number whose digits end before `end`; not an integer, or a wrong one, where there are none. */
export function readDigits(bytes: Buffer, end: number, digits: number): number {
  let value = 0
  for (let at = end - digits; at < end; at++) value = value * 10 + (bytes[at] as number) - ZERO
  return value
}
