import type { ChannelRule } from '../../core/broadcast/channel-rules.ts'
import { History } from '../../core/broadcast/history.ts'
import type { HistoryPage, HistoryQuery } from '../../core/broadcast/history.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { ScherzoError } from '../../core/errors.ts'
import { Queue } from '../../core/bus/queue.ts'

/** How often what is too old is dropped, in milliseconds. */
const SWEEP_INTERVAL = 1000

/** What is answered before the rest of the primary's loop has its turn, in bytes of messages and in answers. */
const TURN_BYTES = 2 ** 20
const TURN_ANSWERS = 16

/** A page, and how many messages the log had had when it was made. */
export interface CenterAnswer {
  readonly epoch: string
  readonly page: HistoryPage
  readonly read: number
}

/** Where the primary asks for what was published before. */
export interface PastCenter {
  /** @returns settles when the rule holds for everything that is published from then on */
  setRule(pattern: string, rule: ChannelRule): Promise<void>
  /** The answer has everything that had an offset when it was asked, and that is still kept. */
  fetch(channel: string, query: HistoryQuery): Promise<CenterAnswer>
  close(): void
}

interface Ask {
  readonly channel: string
  readonly query: HistoryQuery
  /** Of the channel's last message when it was asked. */
  readonly offset: number
  /** How many messages the log had had then. */
  readonly messages: number
  readonly answer: (answer: CenterAnswer) => void
  readonly refuse: (error: ScherzoError) => void
}

/** The past of all channels, in the primary. It reads the log from the first rule with a history on. */
export class HistoryCenter implements PastCenter {
  readonly #bus: Bus
  readonly #history: History
  readonly #asks = new Queue<Ask>()
  #reading: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #read = 0
  #isScheduled = false
  #isClosed = false
  readonly #turn = (): void => {
    this.#isScheduled = false
    this.#answerAsks()
  }

  constructor(bus: Bus, maxBytes: number) {
    this.#bus = bus
    this.#history = new History(maxBytes)
  }

  async setRule(pattern: string, rule: ChannelRule): Promise<void> {
    this.#history.setRule(pattern, rule)
    if (rule.history === undefined) return
    await this.#start()
    // What was asked meanwhile has nothing to wait for, if nothing has been published since.
    this.#schedule()
  }

  fetch(channel: string, query: HistoryQuery): Promise<CenterAnswer> {
    const { messages } = this.#bus
    if (this.#isClosed) return Promise.reject(closedError())
    const { promise, resolve, reject } = Promise.withResolvers<CenterAnswer>()
    const offset = this.#bus.offsetOf(channel)
    this.#asks.push({ channel, query, offset, messages, answer: resolve, refuse: reject })
    this.#schedule()
    return promise
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    for (const { refuse } of this.#asks) refuse(closedError())
    this.#asks.clear()
  }

  #start(): Promise<void> {
    if (this.#reading !== null) return this.#reading
    this.#reading = this.#bus.read({
      onRecord: (record) => {
        this.#read++
        this.#history.take(record)
      },
      onBatchEnd: () => {
        if (this.#asks.size > 0) this.#schedule()
      }
    })
    this.#timer = setInterval(() => this.#history.sweep(), SWEEP_INTERVAL).unref()
    return this.#reading
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#turn)
  }

  /** In their order: none is due before an earlier one. */
  #answerAsks(): void {
    const read = this.#reading === null ? this.#bus.messages : this.#bus.readsFrom(PRIMARY) + this.#read
    let bytes = 0
    for (let answers = 0; answers < TURN_ANSWERS && bytes < TURN_BYTES; answers++) {
      const ask = this.#asks.first
      if (ask === undefined || ask.messages > read) return
      this.#asks.shift()
      const { epoch } = this.#bus
      const isOther = ask.query.epoch !== null && ask.query.epoch !== epoch
      const query = isOther ? { ...ask.query, after: 0 } : ask.query
      const page = this.#history.page(ask.channel, query, ask.offset)
      for (const { data } of page.messages) bytes += data.length
      ask.answer({ epoch, page, read })
    }
    if (this.#asks.size > 0) this.#schedule()
  }
}

function closedError(): ScherzoError {
  return new ScherzoError('SCZ_ERR_CLOSED', ['read the history'])
}

/** The number of the primary's own place in the log. */
const PRIMARY = 0
