import { performance } from 'node:perf_hooks'
import type { JoinedBus, LogRecord, Published } from '../bus/bus.ts'
import { ChannelRules } from './channel-rules.ts'
import type { ChannelRule } from './channel-rules.ts'
import { type ChannelTraffic, trafficOf } from './channel-traffic.ts'
import { Channel } from './channel.ts'
import { type HistoryOptions, type HubHistory, readHistory } from './history-reading.ts'
import type { HistorySource } from './history.ts'
import { LogPosition } from './log-position.ts'
import { LoopLoad } from './loop-load.ts'
import { Message, lostKey } from './message.ts'
import { type HubPresence, type PresenceSource, checkPresence, readPresence } from './presence-reading.ts'
import { type Comeback, Recovery, type RecoveryHost } from './recovery.ts'
import type { Gap } from '../bus/log-record.ts'
import {
  BROADCAST,
  type HubData,
  checkChannel,
  checkIdempotencyKey,
  decodeData,
  encodeData,
  presenceNameOf,
  watchedChannelOf
} from './data.ts'
import { FanOut } from './fan-out.ts'
import { type Format, PLAIN } from './format.ts'
import type { HubListener, HubMessage } from './listeners.ts'
import { Stalled } from './stalled.ts'
import { type Host, Subscriber } from './subscriber.ts'
import { checkSize, keyOf, slowOf } from './rule-effects.ts'
import type { Closable, Outbox, SlowPolicy, Subscriptions } from './subscriptions.ts'
import { Totals } from './totals.ts'

export type { HubData, HubListener, HubMessage, Published }

export interface HubOptions {
  /** How many members are served before the rest of the event loop has its turn. */
  readonly chunk: number
  readonly history: HistorySource
  readonly presence: PresenceSource
  /** How busy the loop is, from 0 to 1. @default that of this thread in the last 50 ms */
  readonly load?: (now: number) => number
  /** Is told which channels this thread wants; null where all of them come anyway. @default null */
  readonly demand?: Demand | null
  /** Gets what listeners throw, and a word about offsets that do not follow each other. */
  readonly onError: (error: unknown, message: string) => void
}

export interface PublishOptions {
  /**
   * With the policy `latest`, a later message of the channel with the same key stands in for this one.
   *
   * @default what the channel's rule makes of the data, and otherwise none
   */
  readonly key?: string
  /**
   * Publishes once: where the channel had a message with the same one lately, from whatever thread, nothing is published, and the
   * promise resolves with the place of that message and `duplicate: true`. The data is not compared. 1 to 255 bytes in UTF-8.
   *
   * @default none
   */
  readonly idempotencyKey?: string
}

/** With a broker, only those channels come to a thread that some thread of its instance wants. */
export interface Demand {
  /** @returns settles when all messages that are published from then on come; null: they do */
  want(channel: string): Promise<void> | null
  /** Nobody here wants it for now. */
  release(channel: string): void
}

/** What a hub needs of its bus. */
export type HubBus = Pick<JoinedBus, 'publish' | 'read' | 'pause' | 'resume' | 'close' | 'position' | 'end'>

/** The channels of one thread: its members, its listeners, and the way to those of all other threads. */
export class Hub implements Subscriptions {
  readonly totals: Totals = new Totals()
  readonly rules: ChannelRules = new ChannelRules()
  readonly #bus: HubBus
  readonly #onError: HubOptions['onError']
  readonly #channels = new Map<string, Channel>()
  readonly #broadcast = new Channel(BROADCAST, null, this.totals)
  readonly #fanOut: FanOut
  readonly #stalled = new Stalled()
  readonly #host: Host
  readonly #history: HistorySource
  readonly #presence: PresenceSource
  readonly #demand: Demand | null
  readonly #recoveries: RecoveryHost
  readonly #position: LogPosition
  #reading: Promise<void> | null = null
  /** When the batch that is being read began, by performance.now(); 0 between batches. */
  #now = 0

  constructor(bus: HubBus, { chunk, history, presence, load, onError, demand = null }: HubOptions) {
    this.#bus = bus
    this.#position = new LogPosition(bus)
    this.#onError = onError
    this.#history = history
    this.#presence = presence
    this.#demand = demand
    this.#channels.set(BROADCAST, this.#broadcast)
    const release = (channel: Channel): void => this.#release(channel)
    const { totals } = this
    const loop = new LoopLoad()
    const fanOut = { chunk, totals, load: load ?? ((now: number) => loop.at(now)) }
    this.#fanOut = new FanOut({ ...fanOut, onFull: () => bus.pause(), onRelief: () => bus.resume() }, release)
    this.#host = {
      totals,
      live: (channel) => demand?.want(channel) ?? null,
      recover: (comeback) => this.#recover(comeback),
      stalled: this.#stalled,
      channel: (name) => this.#channel(name),
      presenceChannel: (name) => this.#presenceChannel(name),
      release
    }
    this.#recoveries = {
      history,
      chunk,
      release,
      whenRead: (position) => this.#position.whenRead(position),
      mark: (onPassed) => this.#position.mark(onPassed)
    }
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
   * Sets what holds in this thread: `history` is for the primary to heed.
   *
   * @throws SCZ_ERR_HUB_RULE
   * @returns whether anything is different now, functions aside
   */
  setRule(pattern: string, rule: ChannelRule): boolean {
    const isNew = this.rules.set(pattern, rule)
    for (const channel of this.#channels.values()) {
      if (!channel.isBroadcast && !channel.hasMembers) channel.slow = slowOf(this.rules.of(channel.name))
    }
    return isNew
  }

  /**
   * Publishes to the subscribers of the channel on every thread.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_DATA, SCZ_ERR_HUB_MESSAGE_SIZE, SCZ_ERR_HUB_KEY, SCZ_ERR_BUS_MESSAGE_SIZE, SCZ_ERR_BUS_NAME, SCZ_ERR_BUS_OVERLOAD,
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

  /** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE, SCZ_ERR_CLOSED, all by the promise */
  presence(channel: string): Promise<HubPresence> {
    return readPresence(this.#presence, this.#history, channel)
  }

  join(outbox: Outbox, policy: SlowPolicy, connection: Closable, format: Format = PLAIN): Subscriber {
    const subscriber = new Subscriber(this.#host, outbox, policy, connection, format)
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
    for (const { name, size, isBroadcast, isPresence } of this.#channels.values()) {
      if (!isBroadcast && !isPresence && size > 0) counts.set(name, size)
    }
    return counts
  }

  /** The channels with the most deliveries in this thread. */
  traffic(): ChannelTraffic[] {
    return trafficOf(this.#channels.values())
  }

  /** How long the oldest message has waited for its fan-out, and for a slow member, in seconds. */
  ages(): { readonly queueAge: number; readonly heldAge: number } {
    const now = performance.now()
    const ageOf = (readAt: number | null): number => (readAt === null ? 0 : (now - readAt) / 1000)
    return { queueAge: ageOf(this.#fanOut.oldest), heldAge: ageOf(this.#stalled.oldest) }
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
    if (options?.idempotencyKey !== undefined) checkIdempotencyKey(options.idempotencyKey)
    const encoded = encodeData(data)
    const rule = this.rules.of(channel)
    if (rule !== null) checkSize(rule, channel, encoded)
    const key = rule === null || options?.key !== undefined ? null : keyOf(rule, channel, data)
    this.totals.published++
    return this.#bus.publish(channel, encoded, key === null ? options : { ...options, key })
  }

  #take(record: LogRecord): void {
    this.#position.pass()
    const channel = this.#channels.get(record.channel)
    if (channel === undefined) return
    const { gap } = record
    if (gap !== null) return this.#takeGap(channel, record, gap)
    this.#checkOffset(channel, record.offset)
    channel.ordinal++
    if (channel.size > 0 || channel.recovery !== null)
      this.#send(channel, record, record.key, channel.envelope.frame(record))
    if (channel.listeners.size > 0) this.#tell(channel, record)
  }

  /** What can't be had is told in its place, as if it were a message. None can stand in for it. */
  #takeGap(channel: Channel, record: LogRecord, { from, to, isNewEpoch }: Gap): void {
    const { epoch } = record
    channel.lastOffset = to
    channel.ordinal++
    if (isNewEpoch) channel.recovery?.outdate()
    const frame = channel.envelope.lostFrame({ from, to }, isNewEpoch ? epoch : null, null)
    this.#send(channel, record, lostKey(epoch, to), frame)
    channel.recovery?.passGap()
  }

  #send(channel: Channel, { offset, time, epoch }: LogRecord, key: string | null, frame: Buffer): void {
    const { size } = channel
    this.totals.owed += size
    if (this.#now === 0) this.#now = performance.now()
    const message = new Message(channel, channel.ordinal, offset, key, frame, this.#now, time, epoch)
    if (size > 0) this.#fanOut.add(message)
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

  #recover(comeback: Comeback): void {
    const { name } = comeback.channel
    const channel = this.#channels.get(name) ?? this.#open(name)
    comeback.channel = channel
    channel.recovery ??= new Recovery(channel, this.#recoveries)
    channel.recovery.add(comeback)
  }

  #channel(name: string): Channel {
    const known = this.#channels.get(name)
    if (known !== undefined && !known.isBroadcast && !known.isPresence) return known
    checkChannel(name)
    return this.#open(name)
  }

  #presenceChannel(watched: string): Channel {
    checkPresence(this.#presence, watched)
    const name = presenceNameOf(watched)
    return this.#channels.get(name) ?? this.#open(name)
  }

  #open(name: string): Channel {
    const channel = new Channel(name, slowOf(this.rules.of(name)), this.totals)
    this.#channels.set(name, channel)
    // Who is in a channel is told by the instance itself.
    if (channel.isPresence) this.#presence.watch(watchedChannelOf(name), true)
    else void this.#demand?.want(name)
    return channel
  }

  /** Clients name channels: those that nobody wants any more must not stay in memory. */
  #release(channel: Channel): void {
    const { name, isBroadcast, isWanted, isPresence } = channel
    if (isBroadcast || isWanted || this.#channels.get(name) !== channel) return
    this.#channels.delete(name)
    if (isPresence) this.#presence.watch(watchedChannelOf(name), false)
    else this.#demand?.release(name)
  }
}
