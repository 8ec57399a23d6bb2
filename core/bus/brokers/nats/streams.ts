import { createHash } from 'node:crypto'
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  AckPolicy,
  DeliverPolicy
} from '@nats-io/jetstream'
import type { Place, Retention } from '../../broker.ts'
import { type Batch, decodeBatch } from './batch.ts'

/** How long the last message of a channel without a history is kept, in nanoseconds: its place goes with it. */
const LAST_AGE = 7 * 86_400 * 1e9
/** Consumers that are left behind go by themselves, in nanoseconds. */
const CONSUMER_IDLE = 10 * 1e9
/** There is a stream of this name with another configuration. */
const NAME_IN_USE = 10_058
/** How many batches are asked for at once. */
const FETCHED = 500
const FETCH_TIMEOUT = 5000

const ONCE = 'once'

type StreamDefinition = Parameters<JetStreamManager['streams']['add']>[0]

/** A batch, and where it stands in its stream. */
export interface StoredBatch {
  readonly sequence: number
  readonly batch: Batch
}

/**
 * The streams that channels are kept in: one for each rule, because a stream has one limit for all its subjects. What a stream has
 * taken it publishes again, and that is what instances subscribe to: what it refuses reaches nobody.
 */
export class Streams {
  readonly #prefix: string
  readonly #manager: JetStreamManager
  readonly #client: JetStreamClient
  readonly #onceAge: number
  readonly #made = new Map<string, Promise<string>>()

  /** @param onceAge for how long an idempotency key is remembered, in milliseconds */
  constructor(prefix: string, manager: JetStreamManager, client: JetStreamClient, onceAge: number) {
    this.#prefix = prefix
    this.#onceAge = onceAge
    this.#manager = manager
    this.#client = client
  }

  /** @returns the name of the stream, which is there by then */
  of(retention: Retention | null): Promise<string> {
    const key = keyOf(retention)
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const made = this.#make(key, retention)
    this.#made.set(key, made)
    made.catch(() => this.#made.delete(key))
    return made
  }

  /** It was not there, or is not there any more. */
  forget(): void {
    this.#made.clear()
  }

  subjectOf(channel: string, retention: Retention | null): string {
    return `${this.#prefix}.in.${keyOf(retention)}.${tokenOf(channel)}`
  }

  liveSubjectOf(channel: string): string {
    return `${this.#prefix}.live.${tokenOf(channel)}`
  }

  /** The channel's last batch. */
  async last(stream: string, subject: string): Promise<StoredBatch | null> {
    const message = await this.#manager.direct.getMessage(stream, { last_by_subj: subject })
    return message === null ? null : { sequence: message.seq, batch: decodeBatch(message.data) }
  }

  async at(stream: string, sequence: number): Promise<StoredBatch | null> {
    if (sequence === 0) return null
    const message = await this.#manager.direct.getMessage(stream, { seq: sequence })
    return message === null ? null : { sequence: message.seq, batch: decodeBatch(message.data) }
  }

  /** @returns the subject that stands for an idempotency key of the channel */
  onceSubjectOf(channel: string, key: string): string {
    const name = createHash('sha256').update(`${channel}\0${key}`).digest('base64url')
    return `${this.#prefix}.once.${name}`
  }

  /** Where the message with the key stands; null where that is not known. */
  async placeOnce(subject: string): Promise<Place | null> {
    const message = await this.#manager.direct.getMessage(await this.#once(), { last_by_subj: subject })
    return message === null ? null : message.json<Place>()
  }

  async keepOnce(subject: string, place: Place): Promise<void> {
    await this.#once()
    await this.#client.publish(subject, JSON.stringify(place))
  }

  /** Forgets a channel in every stream where its last batch is one of these, as the stream's leader has it. */
  async purge(channel: string, isMeant: (batch: Batch) => boolean): Promise<void> {
    for (const [key, made] of this.#made) {
      if (key === ONCE) continue
      const stream = await made
      const filter = `${this.#prefix}.in.${key}.${tokenOf(channel)}`
      const last = await this.#manager.streams.getMessage(stream, { last_by_subj: filter })
      if (last !== null && isMeant(decodeBatch(last.data)))
        await this.#manager.streams.purge(stream, { filter })
    }
  }

  /** All batches of a channel that are kept, the oldest first, until the caller has enough. */
  async *all(stream: string, subject: string): AsyncGenerator<Batch> {
    const { name } = await this.#manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      filter_subject: subject,
      inactive_threshold: CONSUMER_IDLE,
      mem_storage: true,
      num_replicas: 1
    })
    try {
      const consumer = await this.#client.consumers.get(stream, name)
      for (;;) {
        let pending = 0
        const messages = await consumer.fetch({ max_messages: FETCHED, expires: FETCH_TIMEOUT })
        for await (const message of messages) {
          pending = message.info.pending
          yield decodeBatch(message.data)
          if (pending === 0) return
        }
        if (pending === 0) return
      }
    } finally {
      void this.#manager.consumers.delete(stream, name).catch(() => {})
    }
  }

  async #make(key: string, retention: Retention | null): Promise<string> {
    const name = `${this.#prefix}_${key}`
    await this.#add({
      name,
      subjects: [`${this.#prefix}.in.${key}.*`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: retention?.size ?? 1,
      max_age: retention === null ? LAST_AGE : retention.age * 1e9,
      allow_direct: true,
      republish: { src: `${this.#prefix}.in.${key}.*`, dest: `${this.#prefix}.live.$1` }
    })
    return name
  }

  /** @returns the name of the stream with the places of messages that had idempotency keys */
  #once(): Promise<string> {
    const known = this.#made.get(ONCE)
    if (known !== undefined) return known
    const name = `${this.#prefix}_${ONCE}`
    const made = this.#add({
      name,
      subjects: [`${this.#prefix}.once.*`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: 1,
      max_age: this.#onceAge * 1e6,
      allow_direct: true
    }).then(() => name)
    this.#made.set(ONCE, made)
    made.catch(() => this.#made.delete(ONCE))
    return made
  }

  async #add(config: StreamDefinition): Promise<void> {
    try {
      await this.#manager.streams.add(config)
    } catch (error) {
      // Whoever operates it may have given it more replicas, or another storage.
      if (!(error instanceof JetStreamApiError && error.code === NAME_IN_USE)) throw error
    }
  }
}

function keyOf(retention: Retention | null): string {
  return retention === null ? 'last' : `${retention.size}_${Math.round(retention.age * 1000)}`
}

/** A part of a subject has no dots, stars or blanks. */
function tokenOf(channel: string): string {
  return `c${Buffer.from(channel).toString('base64url')}`
}
