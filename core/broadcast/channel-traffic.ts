import type { Channel } from './channel.ts'

/** What one channel has had. */
export interface ChannelTraffic {
  /** The empty string for what is broadcast. */
  readonly channel: string
  readonly subscribers: number
  /** Messages since the log began. */
  readonly published: number
  /** Messages, once for each subscriber; here and below, since somebody on the worker wanted the channel. */
  readonly delivered: number
  readonly skipped: number
  /** Of frames, as they go over the wire. */
  readonly bytes: number
  /** Of what compression was tried on, once for all who share it. */
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** Those with the most deliveries. Clients name channels, so there may be very many. */
export function trafficOf(channels: Iterable<Channel>): ChannelTraffic[] {
  const most = new Most<Channel>(TOLD, ({ traffic }) => traffic.delivered)
  for (const channel of channels) if (channel.traffic.delivered > 0 && !channel.isPresence) most.add(channel)
  return most.list().map(({ name, size, lastOffset, traffic }) => {
    const { delivered, skipped, bytes, bytesBefore, bytesAfter } = traffic
    const published = lastOffset
    return { channel: name, subscribers: size, published, delivered, skipped, bytes, bytesBefore, bytesAfter }
  })
}

/** Adds up what threads have told. A channel that is among the first on one only counts with what that one told. */
export function addTraffic(told: readonly (readonly ChannelTraffic[])[]): ChannelTraffic[] {
  const sums = new Map<string, ChannelTraffic>()
  for (const each of told.flat()) {
    const sum = sums.get(each.channel)
    sums.set(each.channel, sum === undefined ? each : sumOf(sum, each))
  }
  const most = new Most<ChannelTraffic>(SHOWN, ({ delivered }) => delivered)
  for (const sum of sums.values()) most.add(sum)
  return most.list()
}

/** By each thread: more than are shown, because the first ones differ from thread to thread. */
const TOLD = 50
const SHOWN = 20

function sumOf(one: ChannelTraffic, other: ChannelTraffic): ChannelTraffic {
  return {
    channel: one.channel,
    subscribers: one.subscribers + other.subscribers,
    published: Math.max(one.published, other.published),
    delivered: one.delivered + other.delivered,
    skipped: one.skipped + other.skipped,
    bytes: one.bytes + other.bytes,
    bytesBefore: one.bytesBefore + other.bytesBefore,
    bytesAfter: one.bytesAfter + other.bytesAfter
  }
}

/** Finds the greatest of many without sorting them all. */
class Most<Item> {
  readonly #limit: number
  readonly #valueOf: (item: Item) => number
  #items: Item[] = []
  #least = -Infinity

  constructor(limit: number, valueOf: (item: Item) => number) {
    this.#limit = limit
    this.#valueOf = valueOf
  }

  add(item: Item): void {
    if (this.#valueOf(item) <= this.#least) return
    this.#items.push(item)
    if (this.#items.length < 2 * this.#limit) return
    this.#items = this.list()
    this.#least = this.#valueOf(this.#items.at(-1)!)
  }

  /** The greatest first. */
  list(): Item[] {
    return this.#items.toSorted((a, b) => this.#valueOf(b) - this.#valueOf(a)).slice(0, this.#limit)
  }
}
