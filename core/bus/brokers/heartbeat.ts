/** How often the broker is asked, in milliseconds. */
const INTERVAL = 1000
/** After how long without an answer it counts as gone. */
const PATIENCE = 2000

/** Asks the broker now and then whether it is there: one that is halted keeps its connections. */
export class Heartbeat {
  readonly #ping: () => Promise<void>
  #timer: NodeJS.Timeout | null = null
  /** Since when an answer is awaited, by performance.now(); null: it has answered. */
  #askedAt: number | null = null

  constructor(ping: () => Promise<void>) {
    this.#ping = ping
  }

  get isStarted(): boolean {
    return this.#timer !== null
  }

  get isAnswered(): boolean {
    return this.#askedAt === null || performance.now() - this.#askedAt < PATIENCE
  }

  start(): void {
    this.#timer = setInterval(() => this.#beat(), INTERVAL).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #beat(): void {
    if (this.#askedAt !== null) return
    this.#askedAt = performance.now()
    const answered = (): void => {
      this.#askedAt = null
    }
    // A connection that is lost tells it in another way.
    this.#ping().then(answered, answered)
  }
}
