import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createBus, joinBus } from '../../core/bus/bus.ts'
import type { Bus } from '../../core/bus/bus.ts'
import type { Broker } from '../../core/bus/broker.ts'
import { Relay } from '../../core/bus/relay/relay.ts'
import { ScherzoError } from '../../core/errors.ts'
import { Hub } from '../../core/broadcast/hub.ts'
import { hasPresence } from '../../core/broadcast/presence-rule.ts'
import type { Control } from '../../routes/websocket/control.ts'
import { type ChannelRule, ChannelRules } from '../../core/broadcast/channel-rules.ts'
import { addTraffic, type ChannelTraffic } from '../../core/broadcast/channel-traffic.ts'
import { BROADCAST, isPresenceName, watchedChannelOf } from '../../core/broadcast/data.ts'
import type { PresenceSource } from '../../core/broadcast/presence-reading.ts'
import type { HistoryAnswer, HistoryQuery, HistorySource } from '../../core/broadcast/history.ts'
import type { Settings } from '../../core/settings.ts'
import type { BrokerView } from '../server-view.ts'
import { Followers } from './followers.ts'
import { HistoryCenter, type PastCenter } from './history-center.ts'
import { Link } from './link.ts'
import { PresenceCenter } from './presence-center.ts'
import { PresenceExchange } from './presence-exchange.ts'
import { RemoteHistory } from './remote-history.ts'
import { type Signal, decodeSignal, encodeSignal } from './signal.ts'
import { Signals } from './signals.ts'
import { Wants } from './wants.ts'
import { portsOf } from './messages.ts'
import type { HubLink } from './messages.ts'

export type CenterSettings = Pick<Settings, 'historyBytes' | 'idempotencyWindow' | 'idempotencyKeys'>

/** The primary's part of the hub: it owns the log, lets threads in and lets go of those that have ended. */
export class HubCenter {
  /** The primary's own, which has listeners but no members. */
  readonly hub: Hub
  readonly #bus: Bus
  readonly #relay: Relay | null
  readonly #history: PastCenter
  readonly #presence: PresenceCenter
  readonly #exchange: PresenceExchange | null
  readonly #followers: Followers | null
  readonly #wants: Wants | null
  readonly #signals: Signals | null
  readonly #links = new Map<number, Link>()
  #lastId = 0
  #isClosed = false

  /**
   * @param onError gets what listeners in the primary throw, and what keeps presence from being told
   * @param settings `historyBytes`: how much of the past all channels together may keep; and what is remembered of idempotency keys
   * @param broker carries the messages between instances; null: there is only this one
   */
  constructor(
    onError: (error: unknown, message: string) => void,
    { historyBytes, idempotencyWindow, idempotencyKeys }: CenterSettings,
    broker: Broker | null = null
  ) {
    const rules = new ChannelRules()
    const relay = broker === null ? null : new Relay(broker, (channel) => rules.of(channel)?.history ?? null)
    this.#relay = relay
    this.#bus = createBus({ relay, idempotencyWindow: idempotencyWindow * 1000, idempotencyKeys })
    this.#history =
      relay === null ? new HistoryCenter(this.#bus, historyBytes) : new RemoteHistory(relay, rules)
    this.#exchange =
      broker &&
      new PresenceExchange({
        send: (signal) => broker.signal(encodeSignal(signal)),
        isReachable: () => broker.figures.isReachable,
        onChange: (instance, reports) => this.#presence.take(instance, reports),
        onEnd: (instance) => this.#presence.end(instance)
      })
    this.#presence = new PresenceCenter(this.#bus, onError, this.#exchange?.attendance)
    this.#signals = broker === null ? null : new Signals(broker, (control) => this.#controlHere(control))
    this.#followers =
      relay &&
      new Followers(
        (channels) => relay.follow(channels),
        (channels) => relay.unfollow(channels)
      )
    const id = ++this.#lastId
    const history: HistorySource = { fetch: (channel, query) => this.#fetch(id, channel, query) }
    const followers = this.#followers
    const demand =
      followers &&
      new Wants(
        (channels) => followers.add(id, channels),
        (channels) => followers.delete(id, channels)
      )
    this.#wants = demand
    const presence: PresenceSource = {
      has: (channel) => hasPresence(this.#presence.rules, channel),
      // It has no members to tell.
      watch: () => {}
    }
    this.hub = new Hub(joinBus(this.#bus.connect(id)), { chunk: 1, history, demand, presence, onError })
  }

  /**
   * Reaches the broker, if there is one.
   *
   * @param onNotice gets a word for the log
   * @throws SCZ_ERR_BROKER_UNREACHABLE, SCZ_ERR_BROKER_CREDENTIALS, SCZ_ERR_BROKER_VERSION
   */
  async open(onNotice: (level: 'warn' | 'info', message: string) => void): Promise<void> {
    if (this.#relay === null) return
    await this.#relay.connect({ onSignal: (signal) => this.#take(decodeSignal(signal)), onNotice })
    this.#exchange?.start()
    // What is broadcast is for everybody who is connected.
    await this.#relay.follow([BROADCAST])
  }

  /** How the broker does; null without one. */
  get broker(): BrokerView | null {
    if (this.#relay === null) return null
    const { broker, lost, channels } = this.#relay
    return { name: broker.name, ...broker.figures, lost, channels }
  }

  /** How many messages have been published, by whatever thread. */
  get published(): number {
    return this.#relay?.published ?? this.#bus.messages
  }

  /** The channels with the most deliveries, as the threads told up to two seconds ago. */
  get traffic(): readonly ChannelTraffic[] {
    return addTraffic([...this.#links.values()].map(({ traffic }) => traffic))
  }

  /** The offset of the channel's last message; 0 before the first one. */
  offsetOf(channel: string): number {
    return this.#bus.offsetOf(channel)
  }

  /** Of all channels with presence, each identity once in each. */
  get present(): number {
    return this.#presence.members
  }

  /** How many messages have told changes of presence. */
  get presenceTold(): number {
    return this.#presence.told
  }

  /** Lets a thread in. It is let go of when its end of the port is gone, as it is when the thread has ended. */
  connect(): HubLink {
    const id = ++this.#lastId
    const { port1, port2 } = new MessageChannel()
    const link = new Link(port1, {
      countAll: () => this.channels(),
      controlAll: (control) => this.control(control),
      connect: (port) => this.#answer(port),
      setRule: (pattern, rule) => this.#setRule(pattern, rule),
      attend: (reports) => this.#presence.take(id, reports),
      watch: (channel, isWatched) => this.#presence.watch(id, channel, isWatched),
      fetch: (channel, query) => this.#fetch(id, channel, query),
      want: (channels) => this.#followers?.add(id, channels) ?? Promise.resolve(),
      unwant: (channels) => this.#followers?.delete(id, channels),
      end: () => this.#end(id)
    })
    this.#links.set(id, link)
    return { bus: this.#bus.connect(id), port: port2, isRemote: this.#relay !== null }
  }

  /** How many members each channel has on all workers. */
  async channels(): Promise<Map<string, number>> {
    const sums = new Map<string, number>()
    const all = await Promise.all([...this.#links.values()].map((link) => link.count()))
    for (const counts of all) {
      for (const [channel, count] of counts) sums.set(channel, (sums.get(channel) ?? 0) + count)
    }
    return sums
  }

  /**
   * Acts on the sockets of an identity on all workers, and with a broker on all instances, for the calls of one thread in their
   * order.
   *
   * @returns how many were reached
   */
  async control(control: Control): Promise<number> {
    if (this.#isClosed) throw new ScherzoError('SCZ_ERR_CLOSED', ['reach the sockets of an identity'])
    const elsewhere = this.#signals?.send(control) ?? 0
    return (await this.#controlHere(control)) + (await elsewhere)
  }

  /** Once the workers have ended. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const link of this.#links.values()) link.close()
    this.#wants?.close()
    this.#history.close()
    this.#presence.close()
    this.hub.close()
    this.#bus.close()
    await this.#exchange?.close()
    await this.#relay?.close()
  }

  /** What another instance has sent. */
  #take(signal: Signal | null): void {
    if (signal === null) return
    if (signal.type === 'control' || signal.type === 'reached') this.#signals?.take(signal)
    else this.#exchange?.take(signal)
  }

  async #controlHere(control: Control): Promise<number> {
    const all = await Promise.all([...this.#links.values()].map((link) => link.control(control)))
    return all.reduce((sum, count) => sum + count, 0)
  }

  /** Where the thread has ended meanwhile the link is lost on its way, and that closes its ports. */
  #answer(port: MessagePort): void {
    const link = this.connect()
    port.postMessage(link, portsOf(link))
    port.close()
  }

  /** For what the primary itself publishes, too. */
  #setRule(pattern: string, rule: ChannelRule): Promise<void> {
    this.hub.setRule(pattern, rule)
    this.#presence.setRule(pattern, rule)
    return this.#history.setRule(pattern, rule)
  }

  /** For a thread that reads the log: its position there is told with the answer. */
  async #fetch(id: number, channel: string, query: HistoryQuery): Promise<HistoryAnswer> {
    const { epoch, page, read } = isPresenceName(channel)
      ? await this.#presence.fetch(watchedChannelOf(channel), query)
      : await this.#history.fetch(channel, query)
    return { epoch, ...page, position: read - this.#bus.readsFrom(id) }
  }

  #end(id: number): void {
    this.#links.delete(id)
    this.#presence.end(id)
    this.#followers?.forget(id)
    if (!this.#isClosed) this.#bus.disconnect(id)
  }
}
