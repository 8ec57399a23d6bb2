import { afterClose, backoffOf } from './close-codes.ts'
import { Connection, type ConnectionHandler } from './connection.ts'
import { ClientError, messages, ownError } from './errors.ts'
import type { ClientState } from './events.ts'
import { PROTOCOLS } from './frames.ts'
import { type ClientOptions, type Source, type WebSocketClass, valueOf } from './options.ts'

/** What a link tells its client. */
export interface LinkHandler extends Omit<ConnectionHandler, 'onOpen' | 'onEnd'> {
  /** The WebSocket is open. */
  onOpen(token: string | undefined): void
  /** The connection is gone, and another one will come. */
  onBreak(): void
  onError(error: ClientError): void
  /** No other connection comes. */
  onEnd(error: ClientError): void
  onState(state: ClientState): void
}

/** One connection after the other: when to connect again, and with which token. */
export class Link {
  state: ClientState = 'connecting'
  retryAt: number | null = null
  readonly #url: Source<string>
  readonly #options: ClientOptions
  readonly #handler: LinkHandler
  readonly #WebSocket: WebSocketClass
  #connection: Connection | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Attempts since a connection has lasted. */
  #attempts = 0
  #openSince = 0
  /** How often in a row the server has refused the token. */
  #refusals = 0
  /** What the server asked for before it closed, in milliseconds. */
  #after: number | null = null

  /** @throws SCZ_ERR_CLIENT_WEBSOCKET */
  constructor(url: Source<string>, options: ClientOptions, handler: LinkHandler) {
    this.#url = url
    this.#options = options
    this.#handler = handler
    const found = options.WebSocket ?? (globalThis.WebSocket as WebSocketClass | undefined)
    if (found === undefined) throw ownError('SCZ_ERR_CLIENT_WEBSOCKET')
    this.#WebSocket = found
    page.addEventListener?.('online', this.#onNetwork)
    page.addEventListener?.('offline', this.#onNetwork)
    void this.#connect()
  }

  /** Null unless the server has said that it is ready. */
  get send(): ((text: string) => void) | null {
    return this.state === 'open' ? this.sendEarly : null
  }

  /** Before that only a token may be sent. */
  readonly sendEarly = (text: string): void => this.#connection?.send(text)

  /**
   * The server is ready.
   *
   * @param pingInterval in milliseconds; 0: it never pings
   * @param prepare is called before anybody is told
   */
  welcome(pingInterval: number, prepare: () => void): void {
    this.#openSince = Date.now()
    this.#refusals = 0
    this.#connection!.watch(this.#options.heartbeat ?? (pingInterval || DEFAULT_HEARTBEAT))
    this.state = 'open'
    prepare()
    this.#handler.onState('open')
  }

  /** The server will close, and wants the client back after so many milliseconds. */
  drain(after: number): void {
    this.#after = after
  }

  fail(error: unknown): void {
    this.#connection?.fail(error)
  }

  /** @param error why, where the server is the reason */
  close(error: ClientError | null): void {
    if (this.state === 'closed') return
    clearTimeout(this.#timer)
    page.removeEventListener?.('online', this.#onNetwork)
    page.removeEventListener?.('offline', this.#onNetwork)
    this.#connection?.close()
    this.#connection = null
    this.#enter('closed')
    this.#handler.onEnd(error ?? ownError('SCZ_ERR_CLIENT_CLOSED'))
  }

  async #connect(): Promise<void> {
    this.#enter('connecting')
    const { token, connectTimeout = 10_000 } = this.#options
    try {
      const url = await valueOf(this.#url)
      const given = token === undefined ? undefined : await valueOf(token)
      if (this.state !== 'connecting') return
      const { onNotice, onSilence } = this.#handler
      this.#connection = new Connection(
        new this.#WebSocket(url, [...PROTOCOLS]),
        {
          onNotice,
          onSilence,
          onOpen: () => this.#handler.onOpen(given),
          onEnd: (code, reason, error) => this.#ended(code, reason, error)
        },
        connectTimeout
      )
    } catch (cause) {
      if (this.state !== 'connecting') return
      this.#handler.onError(ownError('SCZ_ERR_CLIENT_TOKEN', cause))
      this.#wait(null)
    }
  }

  #ended(code: number, reason: string, error: unknown): void {
    this.#connection = null
    if (error !== undefined) this.#handler.onError(asError(error))
    if (this.#isFinal(code)) {
      const message = reason || messages.SCZ_ERR_CLIENT_ENDED
      return this.close(new ClientError('SCZ_ERR_CLIENT_ENDED', message, code))
    }
    if (this.#openSince > 0 && Date.now() - this.#openSince >= LASTING) this.#attempts = 0
    this.#openSince = 0
    const after = this.#after
    this.#after = null
    this.#handler.onBreak()
    this.#wait(after)
  }

  #isFinal(code: number): boolean {
    const next = afterClose(code)
    if (next !== 'token') return next === 'end'
    // A fresh token may help, unless that is what was refused.
    if (code === 4003) this.#refusals++
    const isFresh = typeof this.#options.token === 'function' || typeof this.#url === 'function'
    return !isFresh || this.#refusals > 1
  }

  #wait(after: number | null): void {
    const { initial = 500, max = 30_000 } = this.#options.backoff ?? {}
    const delay = after ?? backoffOf(this.#attempts++, initial, max, Math.random())
    this.#enter('waiting', Date.now() + delay)
    // Whoever is told of the state may have closed the client.
    if (this.state === 'waiting') this.#timer = setTimeout(() => void this.#connect(), delay)
  }

  /** What a browser says of its network is a reason to look, no more. */
  readonly #onNetwork = ({ type }: { readonly type: string }): void => {
    if (this.state === 'open') return this.#connection!.check()
    if (this.state !== 'waiting' || type === 'offline') return
    clearTimeout(this.#timer)
    void this.#connect()
  }

  #enter(state: ClientState, retryAt: number | null = null): void {
    if (this.state === state) return
    this.state = state
    this.retryAt = retryAt
    this.#handler.onState(state)
  }
}

/** In milliseconds: how long a connection has to last before the waiting begins anew. */
const LASTING = 5000
const DEFAULT_HEARTBEAT = 30_000

/** Pages have these; Node has none. */
const page = globalThis as unknown as Partial<
  Record<'addEventListener' | 'removeEventListener', (type: string, listener: (event: Event) => void) => void>
>

function asError(thrown: unknown): ClientError {
  return thrown instanceof ClientError ? thrown : ownError('SCZ_ERR_CLIENT_MESSAGE', thrown)
}
