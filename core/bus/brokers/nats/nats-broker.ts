import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type NatsConnection, type Subscription, connect } from '@nats-io/transport-node'
import { ScherzoError, reasonOf } from '../../../errors.ts'
import type {
  Broker,
  BrokerFigures,
  BrokerListener,
  Delivery,
  Outgoing,
  Past,
  PastQuery,
  Place,
  Retention
} from '../../broker.ts'
import type { Published } from '../../settler.ts'
import { type BrokerAddress, nameOf } from '../address.ts'
import { Heartbeat } from '../heartbeat.ts'
import type { BrokerOptions } from '../open.ts'
import { type Batch, MIN_BATCH_BYTES, decodeBatch, deliveriesOf, encodeBatch, placeOf } from './batch.ts'
import { Lane, type LaneHost, type Sent } from './lane.ts'
import { type StoredBatch, Streams } from './streams.ts'

const MIN_MINOR = 9
/** What a batch takes beside the one message that it may have, and the headers. */
const OVERHEAD = 4096
const SWEEP_INTERVAL = 50
/** Lanes that are kept although nothing is under way in them: they know where their channels are. */
const MAX_IDLE_LANES = 10_000
/** Up to so many missing messages are read one by one, backwards from the last. */
const READ_ONE_BY_ONE = 64
const RECONNECT_WAIT = 250
const REQUEST_TIMEOUT = 1000
/** How long what is under way has when the server closes, in milliseconds. */
const LAST_ANSWERS = 1000

/**
 * NATS 2.9 and later with JetStream: a stream takes the batches and publishes again what it has taken. docs/SCALING.md says what that
 * costs.
 */
export class NatsBroker implements Broker, LaneHost {
  readonly name: string
  readonly #address: BrokerAddress
  readonly #prefix: string
  readonly #timeout: number
  readonly #idempotencyWindow: number
  readonly #lanes = new Map<string, Lane>()
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #heartbeat = new Heartbeat(() => this.#nats!.flush())
  #nats: NatsConnection | null = null
  #streams: Streams | null = null
  #client: JetStreamClient | null = null
  #timer: NodeJS.Timeout | null = null
  #reconnects = 0
  #listener: BrokerListener | null = null
  #isUp = false
  #isClosed = false

  constructor(address: BrokerAddress, { prefix, timeout, idempotencyWindow }: BrokerOptions) {
    this.name = nameOf(address)
    this.#address = address
    this.#prefix = prefix
    this.#timeout = timeout
    this.#idempotencyWindow = idempotencyWindow
  }

  /** Not known before it is connected: `publish()` looks as well. */
  get maxMessageBytes(): number {
    return (this.#nats?.info?.max_payload ?? Infinity) - OVERHEAD
  }

  get figures(): BrokerFigures {
    let pending = 0
    let oldest = Infinity
    for (const lane of this.#lanes.values()) {
      pending += lane.pending
      oldest = Math.min(oldest, lane.oldest)
    }
    const lag = oldest === Infinity ? 0 : performance.now() - oldest
    return {
      isReachable: this.#isUp && this.#heartbeat.isAnswered,
      pending,
      lag,
      reconnects: this.#reconnects
    }
  }

  async connect(listener: BrokerListener): Promise<void> {
    try {
      const nats = await this.#open()
      this.#nats = nats
      this.#checkVersion(nats)
      const manager = await jetstreamManager(nats, { timeout: REQUEST_TIMEOUT })
      const client = jetstream(nats, { timeout: REQUEST_TIMEOUT })
      this.#client = client
      this.#streams = new Streams(this.#prefix, manager, client, this.#idempotencyWindow)
      await this.#streams.of(null)
      nats.subscribe(`${this.#prefix}.signals`, {
        callback: (_error, { data }) => listener.onSignal(data)
      })
      await nats.flush()
      void this.#watch(nats, listener)
    } catch (error) {
      await this.close()
      throw startErrorOf(error, this.name)
    }
    this.#isUp = true
    this.#listener = listener
    this.#heartbeat.start()
    this.#timer = setInterval(() => this.#sweep(), SWEEP_INTERVAL).unref()
  }

  publish(message: Outgoing): Promise<Published> {
    const { length } = message.data
    if (length > this.maxMessageBytes)
      return Promise.reject(
        new ScherzoError('SCZ_ERR_BROKER_REFUSED', [
          `it takes ${this.maxMessageBytes} bytes, and these are ${length}`
        ])
      )
    const isForgotten = this.#idempotencyWindow === 0 && message.idempotencyKey !== ''
    const lane = this.#laneOf(message.channel, message.retention)
    return lane.push(isForgotten ? { ...message, idempotencyKey: '' } : message)
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) {
      if (this.#subscriptions.has(channel)) continue
      const subscription = this.#nats!.subscribe(this.#streams!.liveSubjectOf(channel), {
        callback: (_error, { data }) => {
          if (data.length >= MIN_BATCH_BYTES) this.#deliver(channel, data)
        }
      })
      this.#subscriptions.set(channel, subscription)
    }
    await this.#nats!.flush()
  }

  unsubscribe(channels: readonly string[]): void {
    for (const channel of channels) {
      this.#subscriptions.get(channel)?.unsubscribe()
      this.#subscriptions.delete(channel)
    }
  }

  async past(channel: string, query: PastQuery): Promise<Past> {
    const { retention, limit, maxBytes } = query
    const last = await this.last(channel, retention)
    const place = last === null ? await this.#laneOf(channel, retention).begin() : placeOf(last.batch)
    const nothing = { ...place, first: place.offset + 1, messages: [] }
    if (last === null || retention === null || limit === 0) return nothing
    const isOther = query.epoch !== null && query.epoch !== place.epoch
    const asked = isOther ? 0 : (query.after ?? place.offset - limit)
    const after = Math.max(asked, place.offset - retention.size, 0)
    if (after >= place.offset) return nothing
    const since = Date.now() - retention.age * 1000
    const messages: Delivery[] = []
    let bytes = 0
    for await (const batch of this.#batches(channel, retention, last, after)) {
      if (batch.epoch !== place.epoch || batch.time < since) continue
      for (const delivery of deliveriesOf(channel, batch)) {
        if (delivery.offset <= after || delivery.offset > place.offset) continue
        bytes += delivery.data.length
        if (messages.length === limit || (messages.length > 0 && bytes > maxBytes))
          return { ...place, first: messages[0]!.offset, messages }
        messages.push(delivery)
      }
    }
    return { ...place, first: messages[0]?.offset ?? place.offset + 1, messages }
  }

  /** Only a stream that was put back from a copy is behind. */
  async renew(channel: string, { epoch, offset }: Place): Promise<void> {
    await this.#streams!.purge(channel, (batch) => {
      const place = placeOf(batch)
      return place.epoch === epoch && place.offset < offset
    })
  }

  async signal(signal: Uint8Array): Promise<null> {
    this.#nats!.publish(`${this.#prefix}.signals`, signal)
    return null
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#heartbeat.stop()
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#settle()
    for (const lane of this.#lanes.values()) lane.expire(Infinity, closedError)
    this.#lanes.clear()
    await this.#nats?.close()
  }

  async last(channel: string, retention: Retention | null): Promise<StoredBatch | null> {
    const streams = this.#streams!
    const stream = await streams.of(retention)
    try {
      return await streams.last(stream, streams.subjectOf(channel, retention))
    } catch (error) {
      // Nobody answers for a stream that is gone. It is made where it is not there.
      streams.forget()
      throw error
    }
  }

  async before(retention: Retention | null, sequence: number): Promise<StoredBatch | null> {
    return this.#streams!.at(await this.#streams!.of(retention), sequence)
  }

  async send(
    channel: string,
    retention: Retention | null,
    batch: Batch,
    expected: number,
    once: string
  ): Promise<Sent> {
    const streams = this.#streams!
    await streams.of(retention)
    try {
      const { seq, duplicate } = await this.#client!.publish(
        streams.subjectOf(channel, retention),
        encodeBatch(batch),
        {
          expect: { lastSubjectSequence: expected },
          timeout: REQUEST_TIMEOUT,
          retries: 1,
          ...(once !== '' && { msgID: streams.onceSubjectOf(channel, once) })
        }
      )
      if (!duplicate) return { sequence: seq, isDuplicate: false }
      // What is sent again is no duplicate of itself.
      const stored = await streams.at(await streams.of(retention), seq)
      return { sequence: seq, isDuplicate: stored?.batch.id !== batch.id }
    } catch (error) {
      // Where nobody takes it the stream may be gone.
      if (/no responders|503/i.test(reasonOf(error))) streams.forget()
      throw error
    }
  }

  placeOnce(channel: string, key: string): Promise<Place | null> {
    return this.#streams!.placeOnce(this.#streams!.onceSubjectOf(channel, key))
  }

  keepOnce(channel: string, key: string, place: Place): Promise<void> {
    return this.#streams!.keepOnce(this.#streams!.onceSubjectOf(channel, key), place)
  }

  onIdle(lane: Lane): void {
    if (this.#lanes.size > MAX_IDLE_LANES) this.#lanes.delete(lane.key)
  }

  /** From the first that is needed to the last. */
  async *#batches(
    channel: string,
    retention: Retention,
    last: StoredBatch,
    after: number
  ): AsyncGenerator<Batch> {
    const found: Batch[] = [last.batch]
    if (last.batch.first - 1 - after > READ_ONE_BY_ONE) {
      const streams = this.#streams!
      yield* streams.all(await streams.of(retention), streams.subjectOf(channel, retention))
      return
    }
    while (found[0]!.first > after + 1) {
      const stored = await this.before(retention, found[0]!.previous)
      if (stored === null || stored.batch.epoch !== last.batch.epoch) break
      found.unshift(stored.batch)
    }
    yield* found
  }

  /** Gives what is under way a last chance. */
  async #settle(): Promise<void> {
    const end = performance.now() + LAST_ANSWERS
    while (this.#isUp && this.figures.pending > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5))
  }

  #deliver(channel: string, data: Uint8Array): void {
    for (const delivery of deliveriesOf(channel, decodeBatch(data))) this.#listener?.onDelivery(delivery)
  }

  #laneOf(channel: string, retention: Retention | null): Lane {
    const key = `${retention?.size ?? 0} ${retention?.age ?? 0} ${channel}`
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const lane = new Lane(key, channel, retention, this)
    this.#lanes.set(key, lane)
    return lane
  }

  #sweep(): void {
    const before = performance.now() - this.#timeout * 1000
    const error = (): Error => new ScherzoError('SCZ_ERR_BROKER_TIMEOUT', [this.#timeout])
    for (const lane of this.#lanes.values()) if (lane.pending > 0) lane.expire(before, error)
  }

  #open(): Promise<NatsConnection> {
    const { nodes, username, password, isTls } = this.#address
    return connect({
      servers: nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`),
      name: 'scherzo',
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT,
      // A password may be changed while the server runs; it goes on when it is right again.
      ignoreAuthErrorAbort: true,
      ...(isTls && { tls: {} }),
      ...(username !== null && { user: username, pass: password ?? '' }),
      ...(username === null && password !== null && { token: password })
    })
  }

  #checkVersion({ info }: NatsConnection): void {
    const version = info?.version ?? '0'
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const isOld = major < 2 || (major === 2 && minor < MIN_MINOR)
    if (isOld || info?.jetstream !== true) {
      const shown = isOld ? version : `${version} without JetStream`
      throw new ScherzoError('SCZ_ERR_BROKER_VERSION', [this.name, shown, `2.${MIN_MINOR} with JetStream`])
    }
  }

  async #watch(nats: NatsConnection, listener: BrokerListener): Promise<void> {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect' && this.#isUp) {
        this.#isUp = false
        listener.onNotice('warn', `The broker ${this.name} is lost`)
      } else if (type === 'reconnect') void this.#return(nats, listener)
    }
  }

  async #return(nats: NatsConnection, listener: BrokerListener): Promise<void> {
    // It may have been started anew, without its data.
    this.#streams!.forget()
    // It subscribes again by itself, before this is answered.
    await nats.flush()
    if (this.#isUp || this.#isClosed) return
    this.#isUp = true
    this.#reconnects++
    listener.onNotice('info', `The broker ${this.name} is back`)
    listener.onReturn()
  }
}

function closedError(): ScherzoError {
  return new ScherzoError('SCZ_ERR_BUS_CLOSED')
}

function startErrorOf(error: unknown, name: string): Error {
  if (error instanceof ScherzoError) return error
  const reason = reasonOf(error)
  if (/authorization|authentication/i.test(reason))
    return new ScherzoError('SCZ_ERR_BROKER_CREDENTIALS', [name], { cause: error })
  return new ScherzoError('SCZ_ERR_BROKER_UNREACHABLE', [name, reason], { cause: error })
}
