import { commentText } from './server-sent-event.ts'

/** What an event stream is written to, such as a response of `node:http`. */
export interface EventSink {
  /** @returns false when the caller should wait for 'drain', because the client reads more slowly than that */
  write(text: string): boolean
  end(): unknown
  destroy(): unknown
  on(event: 'drain' | 'close' | 'error', listener: () => void): unknown
}

/** How often a stream on which nothing is sent shows that it lives, in milliseconds: proxies cut silent ones after 30 s or more. */
const HEARTBEAT_INTERVAL = 15_000

/** A client that has not read for so many heartbeats is taken for gone. */
const BEATS_WITHOUT_READING = 2

/**
 * A stream of server-sent events to one client. What is held for a client that reads slowly is bounded: by this class for
 * what is offered, by its owner, who waits for `onDrain`, for what is written.
 */
export class EventStream {
  /** Called when the client has read what was written, unless an offer took its place at once. */
  onDrain: () => void = () => {}
  /** Called once, when either side has closed the stream. */
  onClose: () => void = () => {}
  readonly #sink: EventSink
  readonly #timer: NodeJS.Timeout
  #waiting: string | null = null
  #isFull = false
  #isClosed = false
  #isQuiet = true
  #beatsWhileFull = 0

  /** @param heartbeat in milliseconds */
  constructor(sink: EventSink, heartbeat: number = HEARTBEAT_INTERVAL) {
    this.#sink = sink
    this.#timer = setInterval(() => this.#beat(), heartbeat).unref()
    sink.on('drain', () => this.#drain())
    sink.on('close', () => this.#end())
    // 'close' follows.
    sink.on('error', () => {})
  }

  /** Whether the client has yet to read what it was sent. */
  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * Sends events that must not be left out.
   *
   * @param text of one event or more
   * @returns false when the owner should keep what follows until `onDrain`
   */
  write(text: string): boolean {
    if (this.#isClosed) return false
    this.#isQuiet = false
    this.#isFull = !this.#sink.write(text)
    return !this.#isFull
  }

  /** Sends an event that stands for all before it: while the client reads slowly only the latest one waits. */
  offer(text: string): void {
    if (this.#isClosed) return
    if (this.#isFull) this.#waiting = text
    else this.write(text)
  }

  close(): void {
    if (this.#isClosed) return
    this.#end()
    this.#sink.end()
  }

  #drain(): void {
    this.#isFull = false
    this.#beatsWhileFull = 0
    const text = this.#waiting
    this.#waiting = null
    if (text !== null) this.write(text)
    if (!this.#isFull && !this.#isClosed) this.onDrain()
  }

  #beat(): void {
    if (this.#isFull) {
      if (++this.#beatsWhileFull >= BEATS_WITHOUT_READING) this.#sink.destroy()
      return
    }
    if (this.#isQuiet) this.#isFull = !this.#sink.write(commentText())
    this.#isQuiet = true
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#waiting = null
    clearInterval(this.#timer)
    this.onClose()
  }
}
