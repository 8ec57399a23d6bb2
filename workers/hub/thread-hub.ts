import { availableParallelism } from 'node:os'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { Hub } from '../../core/broadcast/hub.ts'
import { joinBus } from '../../core/bus/bus.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import type { Stats } from '../metrics/stats.ts'
import type { ChannelCounts, HubLink, LinkOrder, LinkReport } from './messages.ts'

/** A worker's or a pool thread's part of the hub. */
export class ThreadHub {
  readonly hub: Hub
  readonly #port: MessagePort
  readonly #asks = new Map<number, PromiseWithResolvers<Map<string, number>>>()
  #lastAsk = 0
  #isClosed = false

  constructor(
    { bus, port }: HubLink,
    settings: Pick<Settings, 'adapterBufferMultiplierPerCpu'>,
    log: Logger
  ) {
    this.hub = new Hub(joinBus(bus), {
      chunk: availableParallelism() * settings.adapterBufferMultiplierPerCpu,
      onError: (error, message) => log.error({ err: error }, message)
    })
    this.#port = port
    port.on('message', (order: LinkOrder) => this.#take(order))
    port.unref()
  }

  /**
   * For a worker, which has members. A pool thread has none, and reads the log only if the app's copy there has listeners: it
   * may be busy for long, and everybody's publishing would wait for it.
   */
  async serve(): Promise<void> {
    await this.hub.start()
    this.#report({ type: 'serves' })
  }

  /** How many members each channel has on all workers. */
  channels(): Promise<Map<string, number>> {
    if (this.#isClosed) return Promise.reject(closedError())
    const ask = ++this.#lastAsk
    const answer = Promise.withResolvers<Map<string, number>>()
    this.#asks.set(ask, answer)
    this.#port.ref()
    this.#report({ type: 'count all', ask })
    return answer.promise
  }

  /** Hands the request of a pool thread on to the primary. */
  requestLink(port: MessagePort): void {
    this.#report({ type: 'link', port }, [port])
  }

  /** Writes what the members got into the statistics of the worker. */
  measure(stats: Stats): void {
    const { delivered, skipped, slowClosed, members, subscriptions, heldBytes } = this.hub.totals
    stats.count('hubDelivered', delivered - stats.counter('hubDelivered'))
    stats.count('hubSkipped', skipped - stats.counter('hubSkipped'))
    stats.count('hubSlowClosed', slowClosed - stats.counter('hubSlowClosed'))
    stats.set('hubMembers', members)
    stats.set('hubSubscriptions', subscriptions)
    stats.set('hubHeldBytes', heldBytes)
  }

  /** Publishers that wait get SCZ_ERR_BUS_CLOSED. The primary lets go of the thread's place in the log. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.hub.close()
    this.#port.close()
    for (const { reject } of this.#asks.values()) reject(closedError())
    this.#asks.clear()
  }

  #take(order: LinkOrder): void {
    switch (order.type) {
      case 'count':
        return this.#report({ type: 'counts', ask: order.ask, counts: this.hub.counts() })
      case 'all counts':
        return this.#settle(order.ask, order.counts)
    }
  }

  #settle(ask: number, counts: ChannelCounts): void {
    this.#asks.get(ask)?.resolve(new Map(counts))
    this.#asks.delete(ask)
    if (this.#asks.size === 0) this.#port.unref()
  }

  #report(report: LinkReport, transferred: MessagePort[] = []): void {
    this.#port.postMessage(report, transferred)
  }
}

/** Asks for a link from a thread that the primary doesn't know. @param send passes a port on to the primary */
export async function askForLink(send: (port: MessagePort) => void): Promise<HubLink> {
  const { port1, port2 } = new MessageChannel()
  const { promise, resolve } = Promise.withResolvers<HubLink>()
  port1.once('message', resolve)
  send(port2)
  const link = await promise
  port1.close()
  return link
}

function closedError(): ScherzoError {
  return new ScherzoError('SCZ_ERR_CLOSED', ['count the channels'])
}
