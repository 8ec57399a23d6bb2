import { packAnswer } from '../../core/broadcast/packed-answer.ts'
import type { MessagePort } from 'node:worker_threads'
import type { AttendanceReport } from '../../core/broadcast/attendance.ts'
import type { ChannelRule } from '../../core/broadcast/channel-rules.ts'
import type { ChannelTraffic } from '../../core/broadcast/channel-traffic.ts'
import type { HistoryAnswer, HistoryQuery } from '../../core/broadcast/history.ts'
import { ScherzoError, reasonOf } from '../../core/errors.ts'
import type { Control } from '../../routes/websocket/control.ts'
import type { ChannelCounts, LinkOrder, LinkReport } from './messages.ts'

/** How long a worker may take to answer before it is left out, in milliseconds: it may be stuck. */
const ANSWER_TIMEOUT = 1000

/** What a thread asks of the primary. */
export interface LinkListener {
  countAll(): Promise<ChannelCounts>
  controlAll(control: Control): Promise<number>
  connect(port: MessagePort): void
  setRule(pattern: string, rule: ChannelRule): Promise<void>
  attend(reports: readonly AttendanceReport[]): void
  watch(channel: string, isWatched: boolean): void
  fetch(channel: string, query: HistoryQuery): Promise<HistoryAnswer>
  want(channels: readonly string[]): Promise<void>
  unwant(channels: readonly string[]): void
  end(): void
}

const NONE: ChannelCounts = new Map()

/** The primary's end of the link to one thread. */
export class Link {
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
      case 'want':
        return void this.#want(report.ask, report.channels)
      case 'unwant':
        return this.#listener.unwant(report.channels)
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
    try {
      this.#order({ type: 'history', ask, answer: packAnswer(await this.#listener.fetch(channel, query)) })
    } catch (error) {
      // Its own asks end when it is closed.
      if (error instanceof ScherzoError && error.code === 'SCZ_ERR_CLOSED') return
      this.#order({ type: 'no history', ask, reason: reasonOf(error) })
    }
  }

  async #want(ask: number, channels: readonly string[]): Promise<void> {
    await this.#listener.want(channels)
    this.#order({ type: 'wanted', ask })
  }

  #order(order: LinkOrder): void {
    this.#port.postMessage(order)
  }
}
