import { performance } from 'node:perf_hooks'
import type { JoinedBus, LogRecord, Published } from '../bus/bus.ts'
import { Channel, Message } from './channel.ts'
import { type HistoryOptions, type HubHistory, readHistory } from './history-reading.ts'
import type { HistorySource } from './history.ts'
import { LogPosition } from './log-position.ts'
import { Recovery, type RecoveryHost } from './recovery.ts'
import type { Returning } from './returning.ts'
import type { Gap } from '../bus/log-record.ts'
import { BROADCAST, type HubData, checkChannel, decodeData, encodeData } from './data.ts'
import { FanOut } from './fan-out.ts'
import type { HubListener, HubMessage } from './listeners.ts'
import { Stalled } from './stalled.ts'
import { type Host, Subscriber } from './subscriber.ts'
import type { Outbox, SlowPolicy, Subscriptions } from './subscriptions.ts'
import { Totals } from './totals.ts'

export type { HubData, HubListener, HubMessage, Published }

export interface HubOptions {
  /** How many members are served before the rest of the event loop has its turn. */
  readonly chunk: number
  readonly history: HistorySource
  /** Is told which channels this thread wants; null where all of them come anyway. @default null */
  readonly demand?: Demand | null
  /** Gets what listeners throw, and a word about offsets that do not follow each other. */
  readonly onError: (error: unknown, message: string) => void
}

export interface PublishOptions {
  /** With the policy `latest`, a later message of the channel with the same key stands in for this one. */
  readonly key?: string
}

/** With a broker, only those channels come to a thread that some thread of its instance wants. */
export interface Demand {
  /** @returns settles when all messages that are published from then on come; null: they do */
  want(channel: string): Promise<void> | null
  /** Nobody here wants it for now. */
  release(channel: string): void
}

/** What a hub needs of its bus. */
export type HubBus = Pick<JoinedBus, 'publish' | 'read' | 'pause' | 'resume' | 'close'>

/** The channels of one thread: its members, its listeners, and the way to those of all other threads. */
export class Hub implements Subscriptions {
  readonly totals: Totals = new Totals()
  readonly #bus: HubBus
  readonly #onError: HubOptions['onError']
  readonly #channels = new Map<string, Channel>()
  readonly #broadcast = new Channel(BROADCAST)
  readonly #fanOut: FanOut
  readonly #stalled = new Stalled()
  readonly #host: Host
  readonly #history: HistorySource
  readonly #demand: Demand | null
  readonly #recoveries: RecoveryHost
  readonly #position = new LogPosition()
  #reading: Promise<void> | null = null
  /** When the batch that is being read began, by performance.now(); 0 between batches. */
  #now = 0

  constructor(bus: HubBus, { chunk, history, onError, demand = null }: HubOptions) {
    this.#bus = bus
    this.#onError = onError
    this.#history = history
    this.#demand = demand
    this.#channels.set(BROADCAST, this.#broadcast)
    const release = (channel: Channel): void => this.#release(channel)
    this.#fanOut = new FanOut({ chunk, onFull: () => bus.pause(), onRelief: () => bus.resume() }, release)
    this.#host = {
      totals: this.totals,
      live: (channel) => demand?.want(channel) ?? null,
      recover: (returning) => this.#recover(returning),
      stalled: this.#stalled,
      channel: (name) => this.#channel(name),
      release
    }
    this.#recoveries = { history, chunk, release, whenRead: (position) => this.#position.whenRead(position) }
  }

  /**
   * Begins to read the log. A thread that does so holds up everybody's publishing while it doesn't keep up.
   *
   * @returns settles when members and listeners get every message that is published from then on
   */
  start(): Promise<void> {
    this.#reading ??= this.#bus.read({
      onRecord: (record) => this.#take(record),
      onBatchEnd: () => {
        this.#now = 0
        this.#position.wake()
        this.#fanOut.run()
      }
    })
    return this.#reading
  }

  /**
   * Publishes to the subscribers of the channel on every thread.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_DATA, SCZ_ERR_BUS_MESSAGE_SIZE, SCZ_ERR_BUS_NAME, SCZ_ERR_BUS_OVERLOAD,
   *   SCZ_ERR_BUS_CLOSED, all by the promise
   */
  publish(channel: string, data: HubData, options?: PublishOptions): Promise<Published> {
    try {
      checkChannel(channel)
      return this.#publish(channel, data, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Publishes to every member on every thread. The offset counts what was broadcast. */
  broadcast(data: HubData): Promise<Published> {
    try {
      return this.#publish(BROADCAST, data)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Calls the listener for each message of the channel that is read from now on, from whatever thread it comes.
   *
   * @returns ends that
   * @throws SCZ_ERR_HUB_CHANNEL
   */
  subscribe(channel: string, listener: HubListener): () => void {
    const { listeners } = this.#channel(channel)
    const remove = listeners.add(listener)
    // A bus that is closed meanwhile has nothing to read.
    this.start().catch(() => {})
    return () => {
      remove()
      const current = this.#channels.get(channel)
      if (current !== undefined) this.#release(current)
    }
  }

  /** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_SINCE, SCZ_ERR_HUB_LIMIT, SCZ_ERR_HUB_OFFSET, SCZ_ERR_CLOSED, all by the promise */
  history(channel: string, options?: HistoryOptions): Promise<HubHistory> {
    return readHistory(this.#history, channel, options)
  }

  join(outbox: Outbox, policy: SlowPolicy, close: (code: number, reason: string) => void): Subscriber {
    const subscriber = new Subscriber(this.#host, outbox, policy, close)
    subscriber.join(this.#broadcast)
    return subscriber
  }

  prepare(channels: readonly string[]): Promise<void> | null {
    if (this.#demand === null) return null
    const coming: Promise<void>[] = []
    for (const channel of channels) {
      checkChannel(channel)
      const wanted = this.#demand.want(channel)
      if (wanted !== null) coming.push(wanted)
      if (!this.#channels.has(channel)) this.#demand.release(channel)
    }
    return coming.length === 0 ? null : Promise.all(coming).then(() => {})
  }

  /** How many members of this thread each channel has. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { name, members, isBroadcast } of this.#channels.values()) {
      if (!isBroadcast && members.length > 0) counts.set(name, members.length)
    }
    return counts
  }

  /** Applies the policies to what has been held back for too long at this time, by performance.now(). */
  checkAges(now: number): void {
    this.#stalled.check(now)
  }

  /** Publishers that wait get SCZ_ERR_BUS_CLOSED; nothing is read any more. */
  close(): void {
    this.#bus.close()
  }

  #publish(channel: string, data: HubData, options?: PublishOptions): Promise<Published> {
    const encoded = encodeData(data)
    this.totals.published++
    return this.#bus.publish(channel, encoded, options)
  }

  #take(record: LogRecord): void {
    this.#position.read++
    const channel = this.#channels.get(record.channel)
    if (channel === undefined) return
    const { gap } = record
    if (gap !== null) return this.#takeGap(channel, record, gap)
    this.#checkOffset(channel, record.offset)
    channel.ordinal++
    if (channel.members.length > 0 || channel.recovery !== null)
      this.#send(channel, record.offset, record.key, channel.envelope.frame(record))
    if (channel.listeners.size > 0) this.#tell(channel, record)
  }

  /** What can't be had is told in its place, as if it were a message. None can stand in for it. */
  #takeGap(channel: Channel, { epoch }: LogRecord, { from, to, isNewEpoch }: Gap): void {
    channel.lastOffset = to
    channel.ordinal++
    if (isNewEpoch) channel.recovery?.outdate()
    const frame = channel.envelope.lostFrame({ from, to }, isNewEpoch ? epoch : null, null)
    this.#send(channel, to, `\0lost ${epoch} ${to}`, frame)
  }

  #send(channel: Channel, offset: number, key: string | null, frame: Buffer): void {
    const { length } = channel.members
    this.totals.owed += length
    if (this.#now === 0) this.#now = performance.now()
    const message = new Message(channel, channel.ordinal, offset, key, frame, this.#now)
    if (length > 0) this.#fanOut.add(message)
    channel.recovery?.take(message)
  }

  #tell({ name, listeners }: Channel, record: LogRecord): void {
    const { offset, epoch, key, time, isText, data } = record
    const message: HubMessage = {
      channel: name,
      offset,
      epoch,
      data: decodeData(data, isText),
      isBinary: !isText,
      key,
      time
    }
    listeners.tell(message, (error) => this.#onError(error, `A listener of the channel ${name} failed`))
  }

  /** The log gives offsets without holes; were there one, somebody would have missed a message. */
  #checkOffset(channel: Channel, offset: number): void {
    const { lastOffset } = channel
    channel.lastOffset = offset
    if (lastOffset === 0 || offset === lastOffset + 1) return
    if (this.totals.holes++ > 0) return
    const cause = new Error(`Offset ${offset} came after ${lastOffset}`)
    this.#onError(cause, `The log has a hole in the channel ${channel.name}`)
  }

  #recover(returning: Returning): void {
    const channel = this.#channel(returning.channel.name)
    returning.channel = channel
    channel.recovery ??= new Recovery(channel, this.#recoveries)
    channel.recovery.add(returning)
  }

  #channel(name: string): Channel {
    const known = this.#channels.get(name)
    if (known !== undefined && !known.isBroadcast) return known
    checkChannel(name)
    const channel = new Channel(name)
    this.#channels.set(name, channel)
    void this.#demand?.want(name)
    return channel
  }

  /** Clients name channels: those that nobody wants any more must not stay in memory. */
  #release(channel: Channel): void {
    if (channel.isBroadcast || channel.isWanted || !this.#channels.delete(channel.name)) return
    this.#demand?.release(channel.name)
  }
}
