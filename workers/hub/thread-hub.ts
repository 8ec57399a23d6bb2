import { availableParallelism } from 'node:os'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { Attendance } from '../../core/broadcast/attendance.ts'
import { type ChannelRule, dataOf } from '../../core/broadcast/channel-rules.ts'
import type { HistoryAnswer, HistoryQuery } from '../../core/broadcast/history.ts'
import { unpackAnswer } from '../../core/broadcast/packed-answer.ts'
import { hasPresence } from '../../core/broadcast/presence-rule.ts'
import { Hub, type HubData, type PublishOptions, type Published } from '../../core/broadcast/hub.ts'
import { joinBus } from '../../core/bus/bus.ts'
import { Queue } from '../../core/bus/queue.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import type { Control } from '../../routes/websocket/control.ts'
import type { Stats } from '../metrics/stats.ts'
import { Asks } from './asks.ts'
import { Wants } from './wants.ts'
import type { HubLink, LinkOrder, LinkReport } from './messages.ts'

/** Every so many measurements, the primary is told of the channels: every two seconds. */
const TRAFFIC_EVERY = 4
/**
 * Questions about the past that a thread has under way at once. All answers that have arrived are taken in one turn of the loop,
 * however many they are, and each may have a thousand messages.
 */
const MAX_FETCHES = 32

/** A worker's or a pool thread's part of the hub. */
export class ThreadHub {
  readonly hub: Hub
  /** Where its sockets say in which channels they are. */
  readonly attendance: Attendance
  readonly #port: MessagePort
  readonly #asks = new Asks()
  readonly #wants: Wants | null
  /** Settles when the primary has the rules that the app has set so far; null: it has. */
  #rules: Promise<unknown> | null = null
  /** Acts on the sockets of this thread, and tells how many it reached. */
  onControl: (control: Control) => number = () => 0
  /** How often `measure` was called. */
  #measured = 0
  /** Deliveries that the primary knows of. */
  #told = 0
  /** Questions about the past that are under way, and those that wait for one of these to end. */
  #fetches = 0
  readonly #fetchers = new Queue<() => void>()
  #isClosed = false

  constructor(
    { bus, port, isRemote }: HubLink,
    settings: Pick<Settings, 'adapterBufferMultiplierPerCpu'>,
    log: Logger
  ) {
    this.#wants = isRemote ? this.#remoteWants() : null
    const isAsked = (channel: string): boolean => hasPresence(this.hub.rules, channel)
    this.attendance = new Attendance({
      isAsked,
      report: (reports) => this.#report({ type: 'attendance', reports })
    })
    this.hub = new Hub(joinBus(bus), {
      chunk: availableParallelism() * settings.adapterBufferMultiplierPerCpu,
      history: { fetch: (channel, query) => this.#fetch(channel, query) },
      demand: this.#wants,
      presence: {
        has: isAsked,
        watch: (channel, isWatched) => this.#report({ type: 'watch', channel, isWatched })
      },
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
    return this.#ask('count the channels', (ask) => ({ type: 'count all', ask }))
  }

  /**
   * Sets a rule: its functions for this thread, where each copy of the app sets its own, the rest for all.
   *
   * @throws SCZ_ERR_HUB_RULE
   */
  channel(pattern: string, rule: ChannelRule): void {
    this.hub.setRule(pattern, rule)
    const data = dataOf(rule)
    const set = this.#ask<void>('set a rule', (ask) => ({ type: 'rule', ask, pattern, rule: data }))
    const rules = Promise.allSettled([this.#rules, set]).then(() => {
      if (this.#rules === rules) this.#rules = null
    })
    this.#rules = rules
  }

  /** As the hub's own; what is published behind a rule meets it. */
  publish(channel: string, data: HubData, options?: PublishOptions): Promise<Published> {
    if (this.#rules === null) return this.hub.publish(channel, data, options)
    return this.#rules.then(() => this.publish(channel, data, options))
  }

  /** Acts on the sockets of an identity on all workers. */
  control(control: Control): Promise<number> {
    return this.#ask('reach the sockets of an identity', (ask) => ({ type: 'control all', ask, control }))
  }

  /** Hands the request of a pool thread on to the primary. */
  requestLink(port: MessagePort): void {
    this.#report({ type: 'link', port }, [port])
  }

  /** Writes what the members got into the statistics of the worker. */
  measure(stats: Stats): void {
    const { totals } = this.hub
    const { delivered, skipped, slowClosed, members, subscriptions, heldBytes } = totals
    stats.count('hubDelivered', delivered - stats.counter('hubDelivered'))
    stats.count('hubSkipped', skipped - stats.counter('hubSkipped'))
    stats.count('hubSlowClosed', slowClosed - stats.counter('hubSlowClosed'))
    stats.set('hubMembers', members)
    stats.set('hubSubscriptions', subscriptions)
    stats.set('hubHeldBytes', heldBytes)
    stats.count('hubBytes', totals.bytes - stats.counter('hubBytes'))
    stats.count('hubBytesBefore', totals.bytesBefore - stats.counter('hubBytesBefore'))
    stats.count('hubBytesAfter', totals.bytesAfter - stats.counter('hubBytesAfter'))
    const { queueAge, heldAge } = this.hub.ages()
    stats.set('hubQueueAge', queueAge)
    stats.set('hubHeldAge', heldAge)
    stats.setHub(totals.batchSizes, totals.lags)
    this.#tellTraffic()
  }

  /** Publishers that wait get SCZ_ERR_BUS_CLOSED. The primary lets go of the thread's place in the log. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.hub.close()
    this.#wants?.close()
    this.#port.close()
    this.#asks.close()
  }

  /** Looking through all channels takes a while where there are many, so it is done once for a few measurements. */
  #tellTraffic(): void {
    if (++this.#measured % TRAFFIC_EVERY !== 0 || this.hub.totals.delivered === this.#told || this.#isClosed)
      return
    this.#told = this.hub.totals.delivered
    this.#report({ type: 'traffic', channels: this.hub.traffic() })
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
      case 'rule set':
      case 'wanted':
        return this.#settle(order.ask, undefined)
      case 'no history':
        return this.#refuse(order.ask, order.reason)
      case 'history':
        return this.#settle(order.ask, unpackAnswer(order.answer))
    }
  }

  async #fetch(channel: string, query: HistoryQuery): Promise<HistoryAnswer> {
    // Who ends leaves its place to the next one.
    if (this.#fetches === MAX_FETCHES) await new Promise<void>((resolve) => this.#fetchers.push(resolve))
    else this.#fetches++
    try {
      return await this.#ask('read the history', (ask) => ({ type: 'history', ask, channel, query }))
    } finally {
      const next = this.#fetchers.shift()
      if (next === undefined) this.#fetches--
      else next()
    }
  }

  #remoteWants(): Wants {
    return new Wants(
      (channels) => this.#ask('subscribe', (ask) => ({ type: 'want', ask, channels })),
      (channels) => this.#report({ type: 'unwant', channels })
    )
  }

  /** @param action what can't be done while the server is closing */
  #ask<Answer>(action: string, report: (ask: number) => LinkReport): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new ScherzoError('SCZ_ERR_CLOSED', [action]))
    const { ask, promise } = this.#asks.open<Answer>(action)
    this.#port.ref()
    this.#report(report(ask))
    return promise
  }

  #settle(ask: number, answer: unknown): void {
    this.#asks.settle(ask, answer)
    if (this.#asks.size === 0) this.#port.unref()
  }

  #refuse(ask: number, reason: string): void {
    this.#asks.refuse(ask, new ScherzoError('SCZ_ERR_BROKER_REFUSED', [reason]))
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
