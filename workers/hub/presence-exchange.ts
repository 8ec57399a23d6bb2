import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { Attendance, type AttendanceReport } from '../../core/broadcast/attendance.ts'
import { Neighbour } from './neighbour.ts'
import { type PresenceSignal, piecesOf } from './presence-signal.ts'

export interface PresenceExchangeOptions {
  /** Sends to all other instances. */
  readonly send: (signal: PresenceSignal) => Promise<unknown>
  /** Whether the others can be heard at all. */
  readonly isReachable: () => boolean
  /** What has changed on another instance. It has a number below zero. */
  readonly onChange: (instance: number, reports: readonly AttendanceReport[]) => void
  /** Nothing that it has told holds any more. */
  readonly onEnd: (instance: number) => void
  /** How often an instance says that it is there, in milliseconds. @default 2000 */
  readonly renewal?: number
  /** How long its members stay without that, in milliseconds. @default 7000 */
  readonly lease?: number
}

/**
 * Who is in channels, between instances. Each tells the others what changes on it, its first socket of an identity in a channel and its
 * last one, and says every two seconds that it is there. Who has missed a change, or does not know the instance, asks it for its whole
 * state. One that is not heard of for seven seconds has no members any more; while the broker is away that is nobody's fault.
 */
export class PresenceExchange {
  /** Who is on this instance. */
  readonly attendance: Attendance
  readonly #options: Required<PresenceExchangeOptions>
  readonly #self = randomUUID()
  readonly #neighbours = new Map<string, Neighbour>()
  #numbers = 0
  /** The number of the last change here. */
  #change = 0
  #renewedAt = 0
  #lookedAt = performance.now()
  #timer: NodeJS.Timeout | null = null
  /** Runs while a question waits for its answer, so that those of others are answered by it as well. */
  #answering: NodeJS.Timeout | null = null

  constructor(options: PresenceExchangeOptions) {
    this.#options = { renewal: 2000, lease: 7000, ...options }
    this.attendance = new Attendance({ isAsked: () => true, report: (reports) => this.#tell(reports) })
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(performance.now()), this.#options.renewal / 8).unref()
    this.#send({ type: 'presence question', from: this.#self, to: null })
  }

  take(signal: PresenceSignal): void {
    const { from } = signal
    // Some brokers send it to everybody, the sender included.
    if (from === this.#self || this.#timer === null) return
    if (signal.type === 'presence question') {
      if (signal.to === null || signal.to === this.#self) this.#answerSoon()
      return
    }
    if (signal.type === 'presence end') return this.#end(from)
    const neighbour = this.#neighbourOf(from)
    const { number } = neighbour
    neighbour.until = performance.now() + this.#options.lease
    if (signal.type === 'presence renewal') return neighbour.hear(signal.change)
    if (signal.type === 'presence') {
      const reports = neighbour.take(signal)
      if (reports.length > 0) this.#options.onChange(number, reports)
      return
    }
    const state = neighbour.takeState(signal)
    if (state === null) return
    // In one turn, so that nobody seems to have left.
    this.#options.onEnd(number)
    this.#options.onChange(number, state)
  }

  async close(): Promise<void> {
    if (this.#timer === null) return
    clearInterval(this.#timer)
    clearTimeout(this.#answering ?? undefined)
    this.#timer = null
    if (this.#change === 0 || !this.#options.isReachable()) return
    const told = this.#options.send({ type: 'presence end', from: this.#self }).catch(() => {})
    await Promise.race([told, delay(LAST_WORD, undefined, { ref: false })])
  }

  #look(now: number): void {
    const { renewal, lease, isReachable } = this.#options
    if (this.#change > 0 && now - this.#renewedAt >= renewal) {
      this.#renewedAt = now
      this.#send({ type: 'presence renewal', from: this.#self, change: this.#change })
    }
    // Nobody is to be missed for what this thread has not had the time to hear.
    const isDeaf = !isReachable() || now - this.#lookedAt > renewal
    this.#lookedAt = now
    for (const [id, neighbour] of this.#neighbours) {
      if (isDeaf) neighbour.until = now + lease
      else if (neighbour.until < now) this.#end(id)
      else this.#askIfBehind(id, neighbour, now)
    }
  }

  /** What is only late comes by itself. */
  #askIfBehind(id: string, neighbour: Neighbour, now: number): void {
    const { behindSince } = neighbour
    if (!neighbour.isBehind) neighbour.behindSince = null
    else if (behindSince === null) neighbour.behindSince = now
    else if (now - behindSince >= this.#options.renewal / 8) {
      neighbour.behindSince = now
      this.#send({ type: 'presence question', from: this.#self, to: id })
    }
  }

  #tell(reports: readonly AttendanceReport[]): void {
    if (this.#timer === null) return
    for (const piece of piecesOf(reports))
      this.#send({ type: 'presence', from: this.#self, change: ++this.#change, reports: piece })
  }

  #answerSoon(): void {
    if (this.#change === 0) return
    this.#answering ??= setTimeout(() => {
      this.#answering = null
      this.#answer()
    }, ANSWER_DELAY).unref()
  }

  #answer(): void {
    const pieces = piecesOf(this.attendance.all())
    for (const [part, reports] of pieces.entries()) {
      const place = { from: this.#self, change: this.#change, part, parts: pieces.length }
      this.#send({ type: 'presence state', ...place, reports })
    }
  }

  /** What is lost on the way is asked for. */
  #send(signal: PresenceSignal): void {
    this.#options.send(signal).catch(() => {})
  }

  #neighbourOf(id: string): Neighbour {
    const known = this.#neighbours.get(id)
    if (known !== undefined) return known
    const neighbour = new Neighbour(--this.#numbers)
    this.#neighbours.set(id, neighbour)
    return neighbour
  }

  #end(id: string): void {
    const neighbour = this.#neighbours.get(id)
    if (neighbour === undefined) return
    this.#neighbours.delete(id)
    this.#options.onEnd(neighbour.number)
  }
}

/** In milliseconds. */
const ANSWER_DELAY = 50
/** How long the last signal may take, in milliseconds. */
const LAST_WORD = 500
