/** Something that was published, or was tried to. */
export interface Attempt {
  /** Its number, which is in the message. */
  readonly n: number
  readonly channel: string
  /** Who published it: their publishes take effect in their order. */
  readonly origin: string
  /** The highest offset of the channel that anybody had heard of before. */
  readonly known: number
  /** `open`: nobody knows whether it was published, because the answer has not come, or never will. */
  outcome: 'open' | 'published' | 'refused'
  /** As the answer has it. */
  offset: number | null
}

/** All that was published, by what publishers, subscribers and the history say. What they say has to agree. */
export class Ledger {
  readonly faults: string[] = []
  /** By number. */
  readonly #attempts: Attempt[] = []
  /** What each channel has, by offset. */
  readonly #logs = new Map<string, Map<number, number>>()
  readonly #known = new Map<string, number>()
  readonly #attempted = new Map<string, number>()

  get size(): number {
    return this.#attempts.length
  }

  /** Of how many nobody knows from an answer whether they were published. */
  get unanswered(): number {
    return this.#attempts.filter(({ outcome }) => outcome === 'open').length
  }

  attempt(origin: string, channel: string): Attempt {
    const n = this.#attempts.length
    const attempt: Attempt = { n, channel, origin, known: this.known(channel), outcome: 'open', offset: null }
    this.#attempts.push(attempt)
    this.#attempted.set(channel, this.attempted(channel) + 1)
    return attempt
  }

  acknowledge(attempt: Attempt, offset: number): void {
    attempt.outcome = 'published'
    attempt.offset = offset
    this.witness(attempt.channel, offset, attempt.n, `the answer to ${attempt.origin}`)
  }

  /** The highest offset of the channel that anybody has heard of: it is there. */
  known(channel: string): number {
    return this.#known.get(channel) ?? 0
  }

  /** How many messages have been tried to be published: no offset is higher. */
  attempted(channel: string): number {
    return this.#attempted.get(channel) ?? 0
  }

  /** Somebody has seen the message with this number at this offset. */
  witness(channel: string, offset: number, n: number, who: string): void {
    const log = this.#logs.get(channel) ?? new Map<number, number>()
    this.#logs.set(channel, log)
    const other = log.get(offset)
    const attempt = this.#attempts[n]
    if (attempt?.channel !== channel) this.faults.push(`${who}: nobody published ${n} to ${channel}`)
    if (other !== undefined && other !== n)
      this.faults.push(`${who}: ${channel} has ${n} at offset ${offset}, and had ${other} there`)
    if (other !== undefined) return
    log.set(offset, n)
    this.#known.set(channel, Math.max(this.known(channel), offset))
  }

  /** Once everybody has seen everything. */
  finish(): void {
    for (const [channel, log] of this.#logs) this.#finishChannel(channel, log)
    for (const { n, outcome, offset, channel } of this.#attempts) {
      if (outcome === 'published' && this.#logs.get(channel)?.get(offset!) !== n)
        this.faults.push(`${n} is not at offset ${offset} of ${channel}, where its publisher was told it is`)
    }
    this.#finishOrder()
  }

  #finishChannel(channel: string, log: ReadonlyMap<number, number>): void {
    const seen = new Set<number>()
    for (let offset = 1; offset <= this.known(channel); offset++) {
      const n = log.get(offset)
      if (n === undefined) {
        this.faults.push(`Nobody has seen offset ${offset} of ${channel}`)
        continue
      }
      if (seen.has(n)) this.faults.push(`${n} is in ${channel} twice, the second time at ${offset}`)
      seen.add(n)
      const attempt = this.#attempts[n]
      if (attempt === undefined) continue
      if (attempt.outcome === 'refused')
        this.faults.push(`${n} was refused, and is in ${channel} at ${offset}`)
      if (offset <= attempt.known)
        this.faults.push(
          `${n} is at ${offset} of ${channel}, before ${attempt.known}, which was there already`
        )
    }
  }

  /** What one origin publishes comes in its order, and nothing once something is missing. */
  #finishOrder(): void {
    const offsets = new Map<number, number>()
    for (const log of this.#logs.values()) for (const [offset, n] of log) offsets.set(n, offset)
    const last = new Map<string, number>()
    const missing = new Map<string, number>()
    for (const { n, origin, channel, outcome } of this.#attempts) {
      if (outcome === 'refused') continue
      const offset = offsets.get(n)
      if (offset === undefined) {
        missing.set(origin, n)
        continue
      }
      if (missing.has(origin))
        this.faults.push(`${n} of ${origin} was published, and ${missing.get(origin)} before it was not`)
      const key = `${origin} ${channel}`
      const before = last.get(key) ?? 0
      if (offset <= before)
        this.faults.push(`${n} of ${origin} is at ${offset} of ${channel}, and an earlier one at ${before}`)
      last.set(key, offset)
    }
  }
}
