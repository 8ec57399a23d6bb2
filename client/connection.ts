import { DEFLATE_PROTOCOL, openMessage } from './frames.ts'
import type { Notice } from './notices.ts'
import type { SocketLike } from './options.ts'

/** What a connection tells its client. Nothing comes after `onEnd`. */
export interface ConnectionHandler {
  onOpen(): void
  onNotice(notice: Notice): void
  /** A request is needed that any server answers. */
  onSilence(): void
  /** @param error what could not be read, if that was the reason */
  onEnd(code: number, reason: string, error?: unknown): void
}

/** One WebSocket, from the attempt to its end. It ends by itself when the server has gone silent. */
export class Connection {
  readonly #socket: SocketLike
  readonly #handler: ConnectionHandler
  /** Messages that are being inflated, and those behind them: they have to stay in order. */
  #turn: Promise<void> | null = null
  #interval: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #hasHeard = false
  #isAsked = true
  #isOver = false

  /** @param timeout how long it may take until `watch` is called */
  constructor(socket: SocketLike, handler: ConnectionHandler, timeout: number) {
    this.#socket = socket
    this.#handler = handler
    this.#interval = timeout
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', () => {
      if (!this.#isOver) handler.onOpen()
    })
    socket.addEventListener('message', ({ data }) => this.#receive(data as string | ArrayBuffer))
    socket.addEventListener('close', ({ code, reason }) => this.#inTurn(() => this.#end(code, reason)))
    // A close event follows, and says no less.
    socket.addEventListener('error', () => {})
    this.#arm(timeout)
  }

  send(text: string): void {
    this.#socket.send(text)
  }

  /** The server is there. After so many milliseconds without a word it is asked, and has a limited time to answer. */
  watch(interval: number): void {
    this.#interval = interval
    this.#hasHeard = false
    this.#isAsked = false
    this.#arm(interval)
  }

  /** Asks at once: the network may have gone. */
  check(): void {
    this.#hasHeard = false
    this.#isAsked = false
    this.#look()
  }

  close(): void {
    this.#leave()
    this.#socket.close(1000)
  }

  /** What the server sends is not to be trusted any more. */
  fail(error: unknown): void {
    this.#end(NO_CODE, '', error)
  }

  #receive(data: string | ArrayBuffer): void {
    this.#hasHeard = true
    this.#inTurn(() => {
      const notices = openMessage(data, this.#socket.protocol === DEFLATE_PROTOCOL)
      if (!(notices instanceof Promise)) return this.#hand(notices)
      return notices.then((opened) => this.#hand(opened))
    })
  }

  /** At once unless something is being inflated. */
  #inTurn(run: () => void | Promise<void>): void {
    if (this.#turn !== null) return this.#await(this.#turn.then(run))
    try {
      const result = run()
      if (result instanceof Promise) this.#await(result)
    } catch (error) {
      this.fail(error)
    }
  }

  #await(result: Promise<void>): void {
    const turn = result
      .catch((error: unknown) => this.fail(error))
      .then(() => {
        if (this.#turn === turn) this.#turn = null
      })
    this.#turn = turn
  }

  #hand(notices: readonly unknown[]): void {
    for (const notice of notices) if (!this.#isOver) this.#handler.onNotice(notice as Notice)
  }

  #arm(time: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), time)
  }

  #look(): void {
    if (this.#hasHeard) {
      this.#hasHeard = false
      this.#isAsked = false
      this.#arm(this.#interval)
    } else if (this.#isAsked) {
      this.#end(NO_CODE, 'The server does not answer')
    } else {
      this.#isAsked = true
      this.#arm(Math.min(this.#interval, ANSWER_TIME))
      this.#handler.onSilence()
    }
  }

  #end(code: number, reason: string, error?: unknown): void {
    if (this.#isOver) return
    this.#leave()
    // On a network that is gone the close handshake takes its time; nobody waits for it.
    this.#socket.close()
    this.#handler.onEnd(code, reason, error)
  }

  #leave(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }
}

/** What browsers say of a connection that ended without a close frame (RFC 6455 section 7.1.5). */
const NO_CODE = 1006
const ANSWER_TIME = 5000
