import { randomUUID } from 'node:crypto'
import { MessageChannel } from 'node:worker_threads'
import { Connection } from './connection.ts'
import type { BusDescription } from './description.ts'
import { type LogListener, LogReader, type ReadOptions } from './log-reader.ts'
import { INBOX_DATA, LOG_DATA, LOG_HEAD, RECORD_SHARE } from './memory.ts'
import type { PublishOptions } from './message.ts'
import { PublishedKeys } from './published-keys.ts'
import { Publisher } from './publisher.ts'
import { isRingSize } from './ring.ts'
import type { Relay } from './relay/relay.ts'
import { Sequencer } from './sequencer.ts'
import type { Published } from './settler.ts'

export type { LogRecord } from './log-record.ts'
export type { BusDescription, LogListener, Published, PublishOptions, ReadOptions }

export interface BusOptions {
  /**
   * How many bytes of messages a reader may be behind before publishing waits for it: a power of two from 64 KiB to 1 GiB.
   * @default 16 MiB
   */
  readonly logBytes?: number
  /**
   * How many bytes of messages a thread may have without an answer before its publishing waits: likewise.
   * @default 1 MiB
   */
  readonly inboxBytes?: number
  /**
   * The most bytes of data that one message may have.
   * @default 64 MiB
   */
  readonly maxMessageBytes?: number
  /**
   * How many bytes of messages may wait in a thread for room in its inbox before publish() is refused.
   * @default 64 MiB
   */
  readonly maxWaitingBytes?: number
  /**
   * For how long an idempotency key is remembered, in milliseconds.
   * @default 300000
   */
  readonly idempotencyWindow?: number
  /**
   * How many idempotency keys are remembered, of all channels together; beyond it the oldest are forgotten.
   * @default 100000
   */
  readonly idempotencyKeys?: number
  /**
   * Carries the messages to other instances and back.
   * @default none: the bus itself gives them their offsets
   */
  readonly relay?: Relay | null
}

export interface BusStats {
  readonly epoch: string
  /** How many messages have had an offset. */
  readonly messages: number
  readonly channels: number
  /** How often the log was full. */
  readonly holdUps: number
  /** The thread that the full log waits for. */
  readonly heldUpBy: number | null
  readonly threads: readonly ThreadStats[]
}

export interface ThreadStats {
  readonly id: number
  /** How many bytes of its inbox the sequencer has not taken yet. */
  readonly inboxBytes: number
  /** How many bytes of the log it has not read yet, or null if it doesn't read. */
  readonly lagBytes: number | null
}

/** The primary's own messages go through an inbox like all others. */
const PRIMARY = 0

/** The bus as the primary sees it. It keeps the process alive until it is closed. */
export class Bus {
  /** '' where a broker gives each channel its own. */
  readonly epoch: string
  readonly #options: Required<BusOptions>
  readonly #log: SharedArrayBuffer
  readonly #sequencer: Sequencer
  readonly #own: JoinedBus
  readonly #relay: Relay | null
  #publishers = 0

  constructor(options: BusOptions = {}) {
    this.#options = { ...DEFAULTS, ...options }
    const { logBytes, inboxBytes, maxMessageBytes } = this.#options
    checkRingSize('logBytes', logBytes)
    checkRingSize('inboxBytes', inboxBytes)
    this.#log = new SharedArrayBuffer(LOG_DATA + logBytes)
    const { idempotencyWindow, idempotencyKeys, relay } = this.#options
    const keys = new PublishedKeys(idempotencyWindow, idempotencyKeys)
    this.#relay = relay
    this.epoch = relay === null ? randomUUID() : ''
    this.#sequencer = new Sequencer(this.#log, maxMessageBytes, keys, relay)
    this.#own = new JoinedBus(this.connect(PRIMARY))
  }

  /**
   * Makes an inbox for a new thread.
   *
   * @param id names the thread to `disconnect()` and in the figures, and is no other's meanwhile; 0 is the primary
   */
  connect(id: number): BusDescription {
    if (this.#sequencer.connections.some((other) => other.id === id && !other.hasEnded))
      throw new Error(`Thread ${id} is connected already: give each its own number`)
    const { inboxBytes, logBytes, maxMessageBytes, maxWaitingBytes } = this.#options
    const inbox = new SharedArrayBuffer(INBOX_DATA + inboxBytes)
    const { port1, port2 } = new MessageChannel()
    this.#sequencer.add(new Connection(id, inbox, port1))
    return {
      epoch: this.epoch,
      publisher: this.#publishers++,
      log: this.#log,
      inbox,
      port: port2,
      maxMessageBytes: Math.min(maxMessageBytes, this.#relay?.broker.maxMessageBytes ?? Infinity),
      maxRecordBytes: logBytes / RECORD_SHARE,
      maxWaitingBytes
    }
  }

  /**
   * What the thread published as a whole is delivered; the log no longer waits for it. To be called when it has ended or
   * has closed its side, and not before: a thread that still reads would read what is being written.
   */
  disconnect(id: number): void {
    for (const connection of this.#sequencer.connections) {
      if (connection.id === id && !connection.hasEnded) this.#sequencer.end(connection)
    }
  }

  publish(channel: string, data: string | Uint8Array, options?: PublishOptions): Promise<Published> {
    return this.#own.publish(channel, data, options)
  }

  /** Reads the log in the primary, as `JoinedBus.read()` does in a thread. */
  read(listener: LogListener, options?: ReadOptions): Promise<void> {
    return this.#own.read(listener, options)
  }

  /** The offset of the channel's last message; 0 before the first one. */
  offsetOf(channel: string): number {
    return this.#sequencer.offsetOf(channel)
  }

  /** How many messages have had an offset. */
  get messages(): number {
    return this.#sequencer.messages
  }

  /** How many messages the log had had before the first one that the thread reads. */
  readsFrom(id: number): number {
    return this.#sequencer.connections.find((each) => each.id === id && !each.hasEnded)?.readsFrom ?? 0
  }

  get stats(): BusStats {
    const { messages, channels, holdUps, heldUpBy, connections, log } = this.#sequencer
    return {
      epoch: this.epoch,
      messages,
      channels,
      holdUps,
      heldUpBy: heldUpBy?.id ?? null,
      threads: connections.map((connection) => ({
        id: connection.id,
        inboxBytes: connection.inboxBytes,
        lagBytes: connection.isReading ? log.lagOf(connection) : null
      }))
    }
  }

  /** Gives offsets to what has been published so far, if the log has room for it; what waits then is refused. */
  close(): void {
    this.#sequencer.close()
    this.#own.close()
  }
}

/** The bus as a thread sees it. It keeps the thread alive until it is closed. */
export class JoinedBus {
  readonly #description: BusDescription
  readonly #publisher: Publisher
  readonly #logHead: Int32Array<SharedArrayBuffer>
  #reader: LogReader | null = null

  constructor(description: BusDescription) {
    this.#description = description
    this.#publisher = new Publisher(description)
    this.#logHead = new Int32Array(description.log, 0, LOG_HEAD + 1)
    description.port.ref()
  }

  /** How many messages wait in this thread for room in its inbox. */
  get waiting(): number {
    return this.#publisher.waiting
  }

  /** @throws SCZ_ERR_BUS_CLOSED, SCZ_ERR_BUS_MESSAGE_SIZE, SCZ_ERR_BUS_NAME, SCZ_ERR_BUS_OVERLOAD, all by the promise */
  publish(channel: string, data: string | Uint8Array, options?: PublishOptions): Promise<Published> {
    return this.#publisher.publish(channel, data, options)
  }

  /**
   * Reads the log, every channel of it, from a point that the sequencer sets. To be called once.
   *
   * @returns settles when that point is set: the listener gets every message that gets its offset from then on
   */
  read(listener: LogListener, options?: ReadOptions): Promise<void> {
    if (this.#reader !== null) throw new Error('This thread reads the log already: read it in one place')
    this.#reader = new LogReader(this.#description, listener, options)
    return this.#reader.attached
  }

  /** Behind the last message that the listener has been given, or is; in bytes of the log, modulo 2^32. */
  get position(): number {
    return this.#reader?.position ?? this.end
  }

  /** Behind the last message of the log: a message that is published from now on lies behind it. */
  get end(): number {
    return Atomics.load(this.#logHead, LOG_HEAD)
  }

  /** Stops reading until `resume()`, also within a batch: the log fills then, and publishing waits for this thread. */
  pause(): void {
    this.#reader?.pause()
  }

  resume(): void {
    this.#reader?.resume()
  }

  /**
   * Stops reading and publishing. What has no answer yet is refused, although it may still be delivered; await what
   * matters before. The primary still has to be told to disconnect.
   */
  close(): void {
    this.#publisher.close()
    this.#reader?.close()
    this.#description.port.close()
  }
}

const MIN_RING_BYTES = 65_536

const DEFAULTS: Required<BusOptions> = {
  logBytes: 16 * 2 ** 20,
  inboxBytes: 2 ** 20,
  maxMessageBytes: 64 * 2 ** 20,
  maxWaitingBytes: 64 * 2 ** 20,
  idempotencyWindow: 300_000,
  idempotencyKeys: 100_000,
  relay: null
}

function checkRingSize(name: string, bytes: number): void {
  if (bytes < MIN_RING_BYTES || !isRingSize(bytes))
    throw new RangeError(`${name} must be a power of two from 65536 to 1073741824, not ${bytes}`)
}

export function createBus(options?: BusOptions): Bus {
  return new Bus(options)
}

export function joinBus(description: BusDescription): JoinedBus {
  return new JoinedBus(description)
}
