import { ScherzoError, reasonOf } from '../../errors.ts'
import type { Outgoing } from '../broker.ts'
import { Queue } from '../queue.ts'
import type { Published } from '../settler.ts'

/** How many messages are under way to the broker at a time: more only make its answers later. */
const WINDOW = 1024
/** How often it is looked whose time is over, in milliseconds. */
const SWEEP_INTERVAL = 50
/** Before what the broker could not take is tried again, in milliseconds. */
const RETRY_DELAY = 100

/** The broker has not taken the message, and may take it later. */
export class NotTaken extends Error {}
/** Nobody knows whether the broker has taken it. */
export class Uncertain extends Error {}

/**
 * Messages on their way to a broker: so many are under way, the others wait in their order, all of them no longer than so. While
 * the broker is away everybody waits.
 */
export class WaitingLine {
  readonly #send: (message: Outgoing) => Promise<Published>
  readonly #timeout: number
  #waiting = new Queue<Entry>()
  readonly #underWay = new Set<Entry>()
  /** Came back to be tried again, in their order. */
  #again: Entry[] = []
  #isOpen = false
  #isHeld = false
  #isClosed = false
  #timer: NodeJS.Timeout | null = null

  /**
   * @param send rejects with NotTaken or Uncertain, and with anything else where the broker refuses the message
   * @param timeout in seconds
   */
  constructor(send: (message: Outgoing) => Promise<Published>, timeout: number) {
    this.#send = send
    this.#timeout = timeout * 1000
  }

  get pending(): number {
    return this.#waiting.size + this.#underWay.size + this.#again.length
  }

  /** How long the oldest has waited, in milliseconds. */
  get lag(): number {
    let oldest = this.#again[0]?.since ?? this.#waiting.first?.since ?? Infinity
    for (const { since } of this.#underWay) {
      oldest = Math.min(oldest, since)
      break
    }
    return oldest === Infinity ? 0 : Math.max(0, performance.now() - oldest)
  }

  push(message: Outgoing): Promise<Published> {
    const { promise, resolve, reject } = Promise.withResolvers<Published>()
    this.#waiting.push({ message, since: performance.now(), isSettled: false, resolve, reject })
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL).unref()
    this.#run()
    return promise
  }

  /** The broker is there. */
  open(): void {
    this.#isOpen = true
    this.#run()
  }

  /** The broker is away. */
  shut(): void {
    this.#isOpen = false
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    for (const entry of [...this.#again, ...this.#waiting])
      refuse(entry, new ScherzoError('SCZ_ERR_BUS_CLOSED'))
    this.#waiting.clear()
    this.#again = []
  }

  /** Settles when nothing is under way. */
  async settle(timeout: number): Promise<void> {
    const end = performance.now() + timeout
    while (this.pending > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  #run(): void {
    while (this.#isOpen && !this.#isHeld && !this.#isClosed && this.#underWay.size < WINDOW) {
      const entry = this.#waiting.shift()
      if (entry === undefined) return
      if (!entry.isSettled) void this.#deliver(entry)
    }
  }

  async #deliver(entry: Entry): Promise<void> {
    this.#underWay.add(entry)
    try {
      const published = await this.#send(entry.message)
      entry.isSettled = true
      entry.resolve(published)
    } catch (error) {
      const isSafe = error instanceof Uncertain && entry.message.idempotencyKey !== ''
      if (error instanceof NotTaken || isSafe) this.#tryAgain(entry)
      else if (error instanceof Uncertain) refuse(entry, new ScherzoError('SCZ_ERR_BROKER_LOST', []))
      else if (error instanceof ScherzoError) refuse(entry, error)
      else refuse(entry, new ScherzoError('SCZ_ERR_BROKER_REFUSED', [reasonOf(error)]))
    }
    this.#underWay.delete(entry)
    if (this.#isHeld && this.#underWay.size === 0) this.#release()
    else this.#run()
  }

  /** Those behind it may come back as well, and have to stay behind it. */
  #tryAgain(entry: Entry): void {
    this.#isHeld = true
    if (!entry.isSettled) this.#again.push(entry)
  }

  #release(): void {
    setTimeout(() => {
      const waiting = new Queue<Entry>()
      for (const entry of this.#again) waiting.push(entry)
      for (const entry of this.#waiting) waiting.push(entry)
      this.#again = []
      this.#waiting = waiting
      this.#isHeld = false
      this.#run()
    }, RETRY_DELAY).unref()
  }

  #sweep(): void {
    const before = performance.now() - this.#timeout
    const isOver = (entry: Entry | undefined): entry is Entry => entry !== undefined && entry.since < before
    const error = (): ScherzoError => new ScherzoError('SCZ_ERR_BROKER_TIMEOUT', [this.#timeout / 1000])
    for (const entry of this.#underWay) {
      if (!isOver(entry)) break
      refuse(entry, error())
    }
    while (isOver(this.#again[0])) refuse(this.#again.shift()!, error())
    while (isOver(this.#waiting.first)) refuse(this.#waiting.shift()!, error())
  }
}

interface Entry {
  readonly message: Outgoing
  readonly since: number
  isSettled: boolean
  readonly resolve: (published: Published) => void
  readonly reject: (error: Error) => void
}

function refuse(entry: Entry, error: Error): void {
  if (entry.isSettled) return
  entry.isSettled = true
  entry.reject(error)
}
