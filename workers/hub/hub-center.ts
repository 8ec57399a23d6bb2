import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createBus, joinBus } from '../../core/bus/bus.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { AttendanceReport } from '../../core/broadcast/attendance.ts'
import { isPresenceName, watchedChannelOf } from '../../core/broadcast/data.ts'
import { Hub } from '../../core/broadcast/hub.ts'
import { hasPresence } from '../../core/broadcast/presence-rule.ts'
import type { Control } from '../../routes/websocket/control.ts'
import type { ChannelRule } from '../../core/broadcast/channel-rules.ts'
import { addTraffic, type ChannelTraffic } from '../../core/broadcast/channel-traffic.ts'
import type { PresenceSource } from '../../core/broadcast/presence-reading.ts'
import type { HistoryAnswer, HistoryQuery, HistorySource } from '../../core/broadcast/history.ts'
import type { Settings } from '../../core/settings.ts'
import { HistoryCenter } from './history-center.ts'
import { PresenceCenter } from './presence-center.ts'
import { portsOf } from './messages.ts'
import type { ChannelCounts, HubLink, LinkOrder, LinkReport } from './messages.ts'

/** How long a worker may take to answer before it is left out, in milliseconds: it may be stuck. */
const ANSWER_TIMEOUT = 1000

export type CenterSettings = Pick<Settings, 'historyBytes' | 'idempotencyWindow' | 'idempotencyKeys'>

/** The primary's part of the hub: it owns the log, lets threads in and lets go of those that have ended. */
export class HubCenter {
  /** The primary's own, which has listeners but no members. */
  readonly hub: Hub
  readonly #bus: Bus
  readonly #history: HistoryCenter
  readonly #presence: PresenceCenter
  readonly #links = new Map<number, Link>()
  #lastId = 0
  #isClosed = false

  /**
   * @param onError gets what listeners in the primary throw, and what keeps presence from being told
   * @param settings `historyBytes`: how much of the past all channels together may keep; and what is remembered of idempotency keys
   */
  constructor(
    onError: (error: unknown, message: string) => void,
    { historyBytes, idempotencyWindow, idempotencyKeys }: CenterSettings
  ) {
    this.#bus = createBus({ idempotencyWindow: idempotencyWindow * 1000, idempotencyKeys })
    this.#history = new HistoryCenter(this.#bus, historyBytes)
    this.#presence = new PresenceCenter(this.#bus, onError)
    const id = ++this.#lastId
    const history: HistorySource = {
      epoch: this.#bus.epoch,
      fetch: (channel, query) => this.#fetch(id, channel, query)
    }
    const presence: PresenceSource = {
      has: (channel) => hasPresence(this.#presence.rules, channel),
      // It has no members to tell.
      watch: () => {}
    }
    this.hub = new Hub(joinBus(this.#bus.connect(id)), { chunk: 1, history, presence, onError })
  }

  /** How many messages have been published, by whatever thread. */
  get published(): number {
    return this.#bus.stats.messages
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
      end: () => this.#end(id)
    })
    this.#links.set(id, link)
    return { bus: this.#bus.connect(id), port: port2 }
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
   * Acts on the sockets of an identity on all workers, for the calls of one thread in their order.
   *
   * @returns how many were reached
   */
  async control(control: Control): Promise<number> {
    if (this.#isClosed) throw new ScherzoError('SCZ_ERR_CLOSED', ['reach the sockets of an identity'])
    const all = await Promise.all([...this.#links.values()].map((link) => link.control(control)))
    return all.reduce((sum, count) => sum + count, 0)
  }

  /** Once the workers have ended. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const link of this.#links.values()) link.close()
    this.#history.close()
    this.#presence.close()
    this.hub.close()
    this.#bus.close()
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
    const { page, read } = isPresenceName(channel)
      ? await this.#presence.fetch(watchedChannelOf(channel), query)
      : await this.#history.fetch(channel, query)
    return { ...page, position: read - this.#bus.readsFrom(id) }
  }

  #end(id: number): void {
    this.#links.delete(id)
    this.#presence.end(id)
    if (!this.#isClosed) this.#bus.disconnect(id)
  }
}

interface LinkListener {
  countAll(): Promise<ChannelCounts>
  controlAll(control: Control): Promise<number>
  connect(port: MessagePort): void
  setRule(pattern: string, rule: ChannelRule): Promise<void>
  attend(reports: readonly AttendanceReport[]): void
  watch(channel: string, isWatched: boolean): void
  fetch(channel: string, query: HistoryQuery): Promise<HistoryAnswer>
  end(): void
}

const NONE: ChannelCounts = new Map()

/** The primary's end of the link to one thread. */
class Link {
  readonly #port: MessagePort
  readonly #listener: LinkListener
  /** What is called with the answer, or with null if there is none. */
  readonly #asks = new Map<number, (answer: LinkReport | null) => void>()
  #lastAsk = 0
  #serves = false
  traffic: readonly ChannelTraffic[] = []

  constructor(port: MessagePort, listener: LinkListener) {
    this.#port = port
    this.#listener = listener
    port.on('message', (report: LinkReport) => this.#take(report))
    port.on('close', () => {
      for (const resolve of this.#asks.values()) resolve(null)
      listener.end()
    })
    // The workers keep the process alive, not what they may say.
    port.unref()
  }

  async count(): Promise<ChannelCounts> {
    const answer = await this.#ask((ask) => ({ type: 'count', ask }))
    return answer?.type === 'counts' ? answer.counts : NONE
  }

  async control(control: Control): Promise<number> {
    const answer = await this.#ask((ask) => ({ type: 'control', ask, control }))
    return answer?.type === 'reached' ? answer.count : 0
  }

  close(): void {
    this.#port.close()
  }

  #take(report: LinkReport): void {
    switch (report.type) {
      case 'serves':
        this.#serves = true
        return
      case 'traffic':
        this.traffic = report.channels
        return
      case 'counts':
      case 'reached':
        return this.#asks.get(report.ask)?.(report)
      case 'count all':
        return void this.#countAll(report.ask)
      case 'rule':
        return void this.#setRule(report.ask, report.pattern, report.rule)
      case 'attendance':
        return this.#listener.attend(report.reports)
      case 'watch':
        return this.#listener.watch(report.channel, report.isWatched)
      case 'history':
        return void this.#fetch(report.ask, report.channel, report.query)
      case 'control all':
        return void this.#controlAll(report.ask, report.control)
      case 'link':
        return this.#listener.connect(report.port)
    }
  }

  /** Null where the thread has no sockets, has ended or does not answer in time. */
  async #ask(order: (ask: number) => LinkOrder): Promise<LinkReport | null> {
    if (!this.#serves) return null
    const ask = ++this.#lastAsk
    const { promise, resolve } = Promise.withResolvers<LinkReport | null>()
    this.#asks.set(ask, resolve)
    const timer = setTimeout(() => resolve(null), ANSWER_TIMEOUT)
    this.#order(order(ask))
    const answer = await promise
    clearTimeout(timer)
    this.#asks.delete(ask)
    return answer
  }

  /** A server that closes ends this thread's own asks. */
  async #controlAll(ask: number, control: Control): Promise<void> {
    const count = await this.#listener.controlAll(control).catch(() => 0)
    this.#order({ type: 'all reached', ask, count })
  }

  async #countAll(ask: number): Promise<void> {
    this.#order({ type: 'all counts', ask, counts: await this.#listener.countAll() })
  }

  async #setRule(ask: number, pattern: string, rule: ChannelRule): Promise<void> {
    // A bus that is closed meanwhile has nothing to keep.
    await this.#listener.setRule(pattern, rule).catch(() => {})
    this.#order({ type: 'rule set', ask })
  }

  async #fetch(ask: number, channel: string, query: HistoryQuery): Promise<void> {
    // Nobody waits for it any more when the server is closed.
    const answer = await this.#listener.fetch(channel, query).catch(() => null)
    if (answer !== null) this.#order({ type: 'history', ask, answer })
  }

  #order(order: LinkOrder): void {
    this.#port.postMessage(order)
  }
}
