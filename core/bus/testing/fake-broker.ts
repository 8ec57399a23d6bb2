import type {
  Broker,
  BrokerFigures,
  BrokerListener,
  Delivery,
  Outgoing,
  Past,
  PastQuery,
  Place
} from '../broker.ts'

/** A broker in memory that loses what the test tells it to lose. */
export class FakeBroker implements Broker {
  readonly name = 'fake://'
  readonly maxMessageBytes: number = Infinity
  readonly figures: BrokerFigures = { isReachable: true, pending: 0, lag: 0, reconnects: 0 }
  readonly #channels = new Map<string, Delivery[]>()
  readonly #subscribed = new Set<string>()
  #listener: BrokerListener | null = null
  #epochs = 1
  /** Whether deliveries are lost on the way. */
  isLossy = false

  async connect(listener: BrokerListener): Promise<void> {
    this.#listener = listener
  }

  async publish({ channel, data, isText, key, meta }: Outgoing): Promise<Place> {
    const messages = this.#messagesOf(channel)
    const place = { epoch: this.#epoch, offset: messages.length + 1 }
    const delivery = { channel, ...place, time: Date.now(), data, isText, key, meta }
    messages.push(delivery)
    if (!this.isLossy && this.#subscribed.has(channel)) this.#listener!.onDelivery(delivery)
    return place
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) this.#subscribed.add(channel)
  }

  unsubscribe(channels: readonly string[]): void {
    for (const channel of channels) this.#subscribed.delete(channel)
  }

  async past(channel: string, { epoch, after, limit, retention }: PastQuery): Promise<Past> {
    const all = this.#messagesOf(channel)
    const isOther = epoch !== null && epoch !== this.#epoch
    const from = Math.max(isOther ? 0 : (after ?? all.length - limit), all.length - (retention?.size ?? 0))
    const messages = retention === null ? [] : all.slice(from, from + limit)
    return { epoch: this.#epoch, offset: all.length, first: messages[0]?.offset ?? all.length + 1, messages }
  }

  async renew(): Promise<void> {
    this.flush()
  }

  async signal(): Promise<number> {
    return 0
  }

  async close(): Promise<void> {}

  /** Delivers again what it has delivered before. */
  repeat(channel: string, offset: number): void {
    this.#listener!.onDelivery(this.#messagesOf(channel)[offset - 1]!)
  }

  /** Forgets everything. */
  flush(): void {
    this.#channels.clear()
    this.#epochs++
  }

  /** Forgets the last messages of a channel. */
  putBack(channel: string, offset: number): void {
    this.#messagesOf(channel).length = offset
  }

  return(): void {
    this.#listener!.onReturn()
  }

  get #epoch(): string {
    return String(this.#epochs).padStart(32, '0')
  }

  #messagesOf(channel: string): Delivery[] {
    const known = this.#channels.get(channel)
    if (known !== undefined) return known
    const messages: Delivery[] = []
    this.#channels.set(channel, messages)
    return messages
  }
}
