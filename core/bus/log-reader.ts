import { ScherzoError } from '../errors.ts'
import type { BusDescription } from './description.ts'
import { Doorbell } from './doorbell.ts'
import { LogRecord } from './log-record.ts'
import {
  CLOSED,
  INBOX_DATA,
  INBOX_DOORBELL,
  LOG_DATA,
  LOG_DOORBELL,
  LOG_HEAD,
  READER_ATTACHED,
  READER_CURSOR,
  READER_DETACHED,
  READER_STATE,
  READER_WANTED,
  SPACE_DOORBELL
} from './memory.ts'
import { SIZE } from './record.ts'
import { Ring, RingReader } from './ring.ts'

/** How many records are read before the rest of the event loop has its turn. */
const DEFAULT_BATCH_SIZE = 512

export interface LogListener {
  /** Called for each message, in order. The record is valid only until it returns. */
  onRecord(record: LogRecord): void
  /** Called behind the last message of a turn of the event loop, before the log may write over it. */
  onBatchEnd?(): void
}

export interface ReadOptions {
  /**
   * How many messages are handed over before the rest of the event loop has its turn.
   * @default 512
   */
  readonly batchSize?: number
}

/** A thread's end of the log. */
export class LogReader {
  readonly #attached = Promise.withResolvers<void>()
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #logControl: Int32Array<SharedArrayBuffer>
  readonly #doorbell: Doorbell
  readonly #spaceDoorbell: Doorbell
  readonly #reader: RingReader
  readonly #record: LogRecord
  readonly #listener: LogListener
  readonly #batchSize: number
  #isAttached = false
  #isClosed = false
  #isPaused = false
  /** Whether a turn is due as soon as reading goes on. */
  #isTurnDue = false
  readonly #turn = (): void => this.#takeTurn()

  constructor(description: BusDescription, listener: LogListener, options: ReadOptions = {}) {
    const { log, inbox, epoch, port } = description
    this.#control = new Int32Array(inbox, 0, INBOX_DATA / 4)
    this.#logControl = new Int32Array(log, 0, LOG_DATA / 4)
    this.#doorbell = new Doorbell(this.#logControl, LOG_DOORBELL)
    this.#spaceDoorbell = new Doorbell(this.#logControl, SPACE_DOORBELL)
    const ring = new Ring(log, LOG_HEAD, LOG_DATA)
    this.#reader = new RingReader(ring, 0)
    this.#record = new LogRecord(ring, epoch, port)
    this.#listener = listener
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE

    Atomics.store(this.#control, READER_STATE, READER_WANTED)
    new Doorbell(this.#logControl, INBOX_DOORBELL).ring()
    this.#spaceDoorbell.ring()
    this.#takeTurn()
  }

  /** Settles when the sequencer has let it in: it gets every message that has its offset from then on. */
  get attached(): Promise<void> {
    return this.#attached.promise
  }

  /** Behind the record that the listener has been given last, in bytes, modulo 2^32. */
  get position(): number {
    return this.#reader.position
  }

  /** Reads nothing from the next record on, so that the log fills and publishing waits. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#isTurnDue) return
    this.#isTurnDue = false
    setImmediate(this.#turn)
  }

  /** The log goes on without this reader, at once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    Atomics.store(this.#control, READER_STATE, READER_DETACHED)
    this.#spaceDoorbell.ring()
    this.#attached.reject(new ScherzoError('SCZ_ERR_BUS_CLOSED'))
  }

  #takeTurn(): void {
    if (this.#isClosed) return
    if (!this.#isAttached && !this.#attach()) return this.#sleep()
    if (this.#isPaused) {
      this.#isTurnDue = true
      return
    }
    let count = 0
    try {
      for (let at = this.#reader.next(); at !== -1; at = this.#reader.next()) {
        this.#record.moveTo(at)
        // A record that a listener throws at counts as read, or it would come again for ever.
        this.#reader.advance(this.#reader.ring.words[(at >> 2) + SIZE]!)
        this.#listener.onRecord(this.#record)
        if (++count === this.#batchSize || this.#isClosed || this.#isPaused) break
      }
      if (count > 0) this.#listener.onBatchEnd?.()
    } finally {
      if (!this.#isClosed) this.#endTurn(count)
    }
  }

  #endTurn(count: number): void {
    Atomics.store(this.#control, READER_CURSOR, this.#reader.position)
    this.#spaceDoorbell.ring()
    if (count > 0) setImmediate(this.#turn)
    else this.#sleep()
  }

  #attach(): boolean {
    if (Atomics.load(this.#control, READER_STATE) !== READER_ATTACHED) return false
    this.#isAttached = true
    this.#reader.seek(Atomics.load(this.#control, READER_CURSOR))
    this.#attached.resolve()
    return true
  }

  #sleep(): void {
    const seen = this.#doorbell.arm()
    if (this.#hasNews) setImmediate(this.#turn)
    else if (Atomics.load(this.#logControl, CLOSED) === 0) this.#doorbell.sleep(seen, this.#turn)
    else this.close()
  }

  get #hasNews(): boolean {
    return this.#isAttached
      ? this.#reader.next() !== -1
      : Atomics.load(this.#control, READER_STATE) === READER_ATTACHED
  }
}
