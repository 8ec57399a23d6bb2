import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createBus, joinBus } from '../../core/bus/bus.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { Hub } from '../../core/broadcast/hub.ts'
import type { ChannelRule } from '../../core/broadcast/channel-rules.ts'
import type { HistoryAnswer, HistoryQuery, HistorySource } from '../../core/broadcast/history.ts'
import type { Settings } from '../../core/settings.ts'
import { HistoryCenter } from './history-center.ts'
import { portsOf } from './messages.ts'
import type { ChannelCounts, HubLink, LinkOrder, LinkReport } from './messages.ts'

/** How long a worker may take to tell its counts before they are left out, in milliseconds: it may be stuck. */
const COUNT_TIMEOUT = 1000

/** The primary's part of the hub: it owns the log, lets threads in and lets go of those that have ended. */
export class HubCenter {
  /** The primary's own, which has listeners but no members. */
  readonly hub: Hub
  readonly #bus: Bus = createBus()
  readonly #history: HistoryCenter
  readonly #links = new Map<number, Link>()
  #lastId = 0
  #isClosed = false

  /**
   * @param onError gets what listeners in the primary throw
   * @param settings `historyBytes`: how much of the past all channels together may keep
   */
  constructor(
    onError: (error: unknown, message: string) => void,
    { historyBytes }: Pick<Settings, 'historyBytes'>
  ) {
    this.#history = new HistoryCenter(this.#bus, historyBytes)
    const id = ++this.#lastId
    const history: HistorySource = {
      epoch: this.#bus.epoch,
      fetch: (channel, query) => this.#fetch(id, channel, query)
    }
    this.hub = new Hub(joinBus(this.#bus.connect(id)), { chunk: 1, history, onError })
  }

  /** How many messages have been published, by whatever thread. */
  get published(): number {
    return this.#bus.stats.messages
  }

  /** Lets a thread in. It is let go of when its end of the port is gone, as it is when the thread has ended. */
  connect(): HubLink {
    const id = ++this.#lastId
    const { port1, port2 } = new MessageChannel()
    const link = new Link(port1, {
      countAll: () => this.channels(),
      connect: (port) => this.#answer(port),
      setRule: (pattern, rule) => this.#history.setRule(pattern, rule),
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

  /** Once the workers have ended. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const link of this.#links.values()) link.close()
    this.#history.close()
    this.hub.close()
    this.#bus.close()
  }

  /** Where the thread has ended meanwhile the link is lost on its way, and that closes its ports. */
  #answer(port: MessagePort): void {
    const link = this.connect()
    port.postMessage(link, portsOf(link))
    port.close()
  }

  /** For a thread that reads the log: its position there is told with the answer. */
  async #fetch(id: number, channel: string, query: HistoryQuery): Promise<HistoryAnswer> {
    const { page, read } = await this.#history.fetch(channel, query)
    return { ...page, position: read - this.#bus.readsFrom(id) }
  }

  #end(id: number): void {
    this.#links.delete(id)
    if (!this.#isClosed) this.#bus.disconnect(id)
  }
}

interface LinkListener {
  countAll(): Promise<ChannelCounts>
  connect(port: MessagePort): void
  setRule(pattern: string, rule: ChannelRule): Promise<void>
  fetch(channel: string, query: HistoryQuery): Promise<HistoryAnswer>
  end(): void
}

const NONE: ChannelCounts = new Map()

/** The primary's end of the link to one thread. */
class Link {
  readonly #port: MessagePort
  readonly #listener: LinkListener
  readonly #asks = new Map<number, (counts: ChannelCounts) => void>()
  #lastAsk = 0
  #serves = false

  constructor(port: MessagePort, listener: LinkListener) {
    this.#port = port
    this.#listener = listener
    port.on('message', (report: LinkReport) => this.#take(report))
    port.on('close', () => {
      for (const resolve of this.#asks.values()) resolve(NONE)
      listener.end()
    })
    // The workers keep the process alive, not what they may say.
    port.unref()
  }

  async count(): Promise<ChannelCounts> {
    if (!this.#serves) return NONE
    const ask = ++this.#lastAsk
    const { promise, resolve } = Promise.withResolvers<ChannelCounts>()
    this.#asks.set(ask, resolve)
    const timer = setTimeout(() => resolve(NONE), COUNT_TIMEOUT)
    this.#order({ type: 'count', ask })
    const counts = await promise
    clearTimeout(timer)
    this.#asks.delete(ask)
    return counts
  }

  close(): void {
    this.#port.close()
  }

  #take(report: LinkReport): void {
    switch (report.type) {
      case 'serves':
        this.#serves = true
        return
      case 'counts':
        return this.#asks.get(report.ask)?.(report.counts)
      case 'count all':
        return void this.#countAll(report.ask)
      case 'rule':
        return void this.#setRule(report.ask, report.pattern, report.rule)
      case 'history':
        return void this.#fetch(report.ask, report.channel, report.query)
      case 'link':
        return this.#listener.connect(report.port)
    }
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
