import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createBus, joinBus } from '../../core/bus/bus.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { Hub } from '../../core/broadcast/hub.ts'
import { portsOf } from './messages.ts'
import type { ChannelCounts, HubLink, LinkOrder, LinkReport } from './messages.ts'

/** How long a worker may take to tell its counts before they are left out, in milliseconds: it may be stuck. */
const COUNT_TIMEOUT = 1000

/** The primary's part of the hub: it owns the log, lets threads in and lets go of those that have ended. */
export class HubCenter {
  /** The primary's own, which has listeners but no members. */
  readonly hub: Hub
  readonly #bus: Bus = createBus()
  readonly #links = new Map<number, Link>()
  #lastId = 0
  #isClosed = false

  /** @param onError gets what listeners in the primary throw */
  constructor(onError: (error: unknown, message: string) => void) {
    this.hub = new Hub(joinBus(this.#bus.connect(++this.#lastId)), { chunk: 1, onError })
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
    this.hub.close()
    this.#bus.close()
  }

  /** Where the thread has ended meanwhile the link is lost on its way, and that closes its ports. */
  #answer(port: MessagePort): void {
    const link = this.connect()
    port.postMessage(link, portsOf(link))
    port.close()
  }

  #end(id: number): void {
    this.#links.delete(id)
    if (!this.#isClosed) this.#bus.disconnect(id)
  }
}

interface LinkListener {
  countAll(): Promise<ChannelCounts>
  connect(port: MessagePort): void
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
      case 'link':
        return this.#listener.connect(report.port)
    }
  }

  async #countAll(ask: number): Promise<void> {
    this.#order({ type: 'all counts', ask, counts: await this.#listener.countAll() })
  }

  #order(order: LinkOrder): void {
    this.#port.postMessage(order)
  }
}
