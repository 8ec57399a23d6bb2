import { writeError, writePlace } from '../answer.ts'
import type { Outgoing, Retention } from '../broker.ts'
import type { Connection } from '../connection.ts'
import { receiveLarge } from '../large.ts'
import { Queue } from '../queue.ts'
import type { Published } from '../settler.ts'
import {
  CHANNEL,
  DATA_LENGTH,
  FLAGS,
  FLAG_LARGE,
  FLAG_NEW_SLOT,
  FLAG_ONCE,
  FLAG_TEXT,
  HEADER_BYTES,
  META_LENGTH,
  NAME_LENGTHS,
  SEQUENCE,
  SIZE,
  channelNameAt,
  dataBytesInRing
} from '../record.ts'

/**
 * One thread's inbox on its way to the broker. A record stays where it is until its answer has been written over it, and
 * answers are told in the order of the inbox: so the inbox bounds what is under way, and a full one makes the thread wait.
 */
export class Intake {
  readonly #connection: Connection
  readonly #names: string[] = []
  readonly #unanswered = new Queue<Unanswered>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Takes the record at the index out of the inbox. */
  take(at: number, retentionOf: (channel: string) => Retention | null): Outgoing {
    const { inbox, port } = this.#connection
    const { ring } = inbox
    const { words, floats, bytes } = ring
    const word = at >> 2
    const flags = words[word + FLAGS]!
    const slot = words[word + CHANNEL]!
    if ((flags & FLAG_NEW_SLOT) !== 0) this.#names[slot] = channelNameAt(ring, at)
    const channel = this.#names[slot]!
    const start = at + HEADER_BYTES
    const isLarge = (flags & FLAG_LARGE) !== 0
    const isOnce = (flags & FLAG_ONCE) !== 0
    const nameLength = words[word + NAME_LENGTHS]! & 0xffff
    const keyStart = start + dataBytesInRing(words, word) + nameLength
    const metaStart = keyStart + (words[word + NAME_LENGTHS]! >>> 16)
    const meta = bytes.toString('utf8', metaStart, metaStart + words[word + META_LENGTH]!)
    return {
      channel,
      // A copy, because the answer may be written before a client library has let go of the bytes.
      data: isLarge
        ? receiveLarge(port, floats[(at >> 3) + SEQUENCE]!).data
        : Buffer.from(bytes.subarray(start, start + words[word + DATA_LENGTH]!)),
      isText: (flags & FLAG_TEXT) !== 0,
      key: bytes.toString('utf8', keyStart, metaStart),
      meta: isOnce ? '' : meta,
      idempotencyKey: isOnce ? meta : '',
      retention: retentionOf(channel)
    }
  }

  /** @returns what the answer to the record at the index is to be given to; the inbox is behind it now */
  expect(at: number): Unanswered {
    const { inbox } = this.#connection
    inbox.advance(inbox.ring.words[(at >> 2) + SIZE]!)
    const unanswered = { at, end: inbox.position, isAnswered: false }
    this.#unanswered.push(unanswered)
    return unanswered
  }

  answer(unanswered: Unanswered, published: Published): void {
    writePlace(this.#connection.inbox.ring, unanswered.at, published)
    unanswered.isAnswered = true
  }

  refuse(unanswered: Unanswered, error: unknown): void {
    writeError(this.#connection.inbox.ring, unanswered.at, error)
    unanswered.isAnswered = true
  }

  /** Tells the thread the answers that have none before them that is still to come. */
  tell(): void {
    let end: number | null = null
    for (let next = this.#unanswered.first; next?.isAnswered === true; next = this.#unanswered.first) {
      end = next.end
      this.#unanswered.shift()
    }
    if (end === null) return
    this.#connection.publishAnswers(end)
    this.#connection.answerDoorbell.ring()
  }
}

export interface Unanswered {
  readonly at: number
  readonly end: number
  isAnswered: boolean
}
