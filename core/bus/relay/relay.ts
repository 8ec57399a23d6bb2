import type { Broker, Outgoing, PastQuery, Retention } from '../broker.ts'
import type { Connection } from '../connection.ts'
import type { Log } from '../log.ts'
import { isOwnName } from '../own-channels.ts'
import type { Published } from '../settler.ts'
import { Inflow, type LeveledPast } from './inflow.ts'
import { Intake, type Unanswered } from './intake.ts'

export interface RelayListener {
  onSignal(signal: Uint8Array): void
  onNotice(level: 'warn' | 'info', message: string): void
}

/**
 * What stands in the place of the sequencer's own numbering where a broker carries the messages: inboxes -> broker -> log. All
 * of it is in the primary.
 */
export class Relay {
  readonly broker: Broker
  readonly #retentionOf: (channel: string) => Retention | null
  readonly #inflow: Inflow
  readonly #intakes = new Map<Connection, Intake>()
  /** Those that have answers to tell. */
  readonly #answered = new Set<Intake>()
  #wake: () => void = () => {}
  /** How many messages of this instance the broker has taken. */
  published = 0

  /** @param retentionOf what a channel is to keep */
  constructor(broker: Broker, retentionOf: (channel: string) => Retention | null) {
    this.broker = broker
    this.#retentionOf = retentionOf
    this.#inflow = new Inflow(broker, retentionOf)
  }

  /** @throws as `Broker.connect()` */
  async connect({ onSignal, onNotice }: RelayListener): Promise<void> {
    await this.broker.connect({
      onDelivery: (delivery) => this.#inflow.take(delivery),
      onReturn: () => void this.#inflow.checkAll(),
      onSignal,
      onNotice
    })
  }

  /** How many channels are followed. */
  get channels(): number {
    return this.#inflow.channels
  }

  /** How many messages, and notices of gaps, the log has had. */
  get messages(): number {
    return this.#inflow.written
  }

  /** Of the channel's last message that has come here; 0 where none has, or nobody wants it. */
  offsetOf(channel: string): number {
    return this.#inflow.offsetOf(channel)
  }

  /** Messages that this instance should have had and that were gone. */
  get lost(): number {
    return this.#inflow.lost
  }

  /** Whether the log has no room. */
  get isBlocked(): boolean {
    return this.#inflow.isBlocked
  }

  attach(log: Log, wake: () => void): void {
    this.#wake = wake
    this.#inflow.attach(log, wake)
  }

  /** Hands what a thread has published on to the broker. @returns how many bytes */
  take(connection: Connection, share: number): number {
    const { inbox } = connection
    let taken = 0
    for (let at = inbox.next(); at !== -1 && taken < share; at = inbox.next()) {
      const intake = this.#intakeOf(connection)
      const before = inbox.position
      const message = intake.take(at, this.#retentionOf)
      const unanswered = intake.expect(at)
      taken += (inbox.position - before) | 0
      void this.#publish(intake, unanswered, message)
    }
    return taken
  }

  /** Tells answers, and writes deliveries to the log. @returns how many bytes of these */
  work(): number {
    for (const intake of this.#answered) intake.tell()
    this.#answered.clear()
    return this.#inflow.write()
  }

  /** The thread has ended. */
  forget(connection: Connection): void {
    this.#intakes.delete(connection)
  }

  follow(channels: readonly string[]): Promise<void> {
    return this.#inflow.follow(channels)
  }

  unfollow(channels: readonly string[]): void {
    this.#inflow.unfollow(channels)
  }

  past(channel: string, query: Omit<PastQuery, 'retention'>): Promise<LeveledPast> {
    return this.#inflow.past(channel, { ...query, retention: this.#retentionOf(channel) })
  }

  async close(): Promise<void> {
    this.#inflow.close()
    await this.broker.close()
  }

  async #publish(intake: Intake, unanswered: Unanswered, message: Outgoing): Promise<void> {
    try {
      intake.answer(unanswered, await this.#place(message))
      this.published++
    } catch (error) {
      intake.refuse(unanswered, error)
    }
    this.#answered.add(intake)
    this.#wake()
  }

  #place(message: Outgoing): Promise<Published> {
    return isOwnName(message.channel) ? this.#inflow.passOwn(message) : this.broker.publish(message)
  }

  #intakeOf(connection: Connection): Intake {
    const known = this.#intakes.get(connection)
    if (known !== undefined) return known
    const intake = new Intake(connection)
    this.#intakes.set(connection, intake)
    return intake
  }
}
