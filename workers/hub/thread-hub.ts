import { availableParallelism } from 'node:os'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { Hub } from '../../core/broadcast/hub.ts'
import { joinBus } from '../../core/bus/bus.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import type { Control } from '../../routes/websocket/control.ts'
import type { Stats } from '../metrics/stats.ts'
import type { HubLink, LinkOrder, LinkReport } from './messages.ts'

type Answer = Map<string, number> | number

/** What this thread has asked the primary. */
interface Ask {
  /** What it wants to do, for the error that says it can't. */
  readonly action: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: ScherzoError) => void
}

/** A worker's or a pool thread's part of the hub. */
export class ThreadHub {
  readonly hub: Hub
  readonly #port: MessagePort
  readonly #asks = new Map<number, Ask>()
  /** Acts on the sockets of this thread, and tells how many it reached. */
  onControl: (control: Control) => number = () => 0
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
    return this.#ask('count the channels', (ask) => ({ type: 'count all', ask })) as Promise<
      Map<string, number>
    >
  }

  /** Acts on the sockets of an identity on all workers. */
  control(control: Control): Promise<number> {
    return this.#ask('reach the sockets of an identity', (ask) => ({
      type: 'control all',
      ask,
      control
    })) as Promise<number>
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
    for (const { reject, action } of this.#asks.values()) reject(closedError(action))
    this.#asks.clear()
  }

  #take(order: LinkOrder): void {
    switch (order.type) {
      case 'count':
        return this.#report({ type: 'counts', ask: order.ask, counts: this.hub.counts() })
      case 'all counts':
        return this.#settle(order.ask, new Map(order.counts))
      case 'control':
        return this.#report({ type: 'reached', ask: order.ask, count: this.onControl(order.control) })
      case 'all reached':
        return this.#settle(order.ask, order.count)
    }
  }

  #ask(action: string, report: (ask: number) => LinkReport): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(closedError(action))
    const ask = ++this.#lastAsk
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#asks.set(ask, { action, resolve, reject })
    this.#port.ref()
    this.#report(report(ask))
    return promise
  }

  #settle(ask: number, answer: Answer): void {
    this.#asks.get(ask)?.resolve(answer)
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

function closedError(action: string): ScherzoError {
  return new ScherzoError('SCZ_ERR_CLOSED', [action])
}
