import type { MessagePort } from 'node:worker_threads'
import { Doorbell } from './doorbell.ts'
import {
  ANSWER_DOORBELL,
  INBOX_DATA,
  INBOX_HEAD,
  INBOX_TAIL,
  READER_ATTACHED,
  READER_CURSOR,
  READER_DETACHED,
  READER_STATE,
  READER_WANTED
} from './memory.ts'
import { Ring, RingReader } from './ring.ts'

/** What the sequencer keeps of a channel. */
export interface Channel {
  readonly number: number
  /** Of its last message. */
  offset: number
}

/** The sequencer's end of one thread: its inbox, and its place in the log if it reads. */
export class Connection {
  readonly id: number
  readonly inbox: RingReader
  readonly answerDoorbell: Doorbell
  /** The thread's channels by the slots that it gave them. */
  readonly channels: Channel[] = []
  readonly port: MessagePort
  readonly #control: Int32Array<SharedArrayBuffer>
  /** How many messages the log had had when the thread was let in as a reader. */
  readsFrom = 0
  /** The thread is dead: what it published is still delivered, then the connection goes. */
  hasEnded = false

  constructor(id: number, memory: SharedArrayBuffer, port: MessagePort) {
    this.id = id
    const ring = new Ring(memory, INBOX_HEAD, INBOX_DATA)
    this.inbox = new RingReader(ring, ring.head)
    this.#control = new Int32Array(memory, 0, INBOX_DATA / 4)
    this.answerDoorbell = new Doorbell(this.#control, ANSWER_DOORBELL)
    this.port = port
  }

  get wantsToRead(): boolean {
    return Atomics.load(this.#control, READER_STATE) === READER_WANTED
  }

  get isReading(): boolean {
    return Atomics.load(this.#control, READER_STATE) === READER_ATTACHED
  }

  /** Up to where the thread has read the log. */
  get cursor(): number {
    return Atomics.load(this.#control, READER_CURSOR)
  }

  get inboxBytes(): number {
    return (this.inbox.ring.head - this.inbox.position) | 0
  }

  attach(position: number): void {
    Atomics.store(this.#control, READER_CURSOR, position)
    // The thread may have given up in the meantime, and then stays detached.
    Atomics.compareExchange(this.#control, READER_STATE, READER_WANTED, READER_ATTACHED)
  }

  end(): void {
    this.hasEnded = true
    Atomics.store(this.#control, READER_STATE, READER_DETACHED)
  }

  /** Tells the thread that everything up to this position, or everything taken so far, has its answer. */
  publishAnswers(position: number = this.inbox.position): void {
    Atomics.store(this.#control, INBOX_TAIL, position)
  }
}
