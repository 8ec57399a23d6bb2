import type { Position } from '../contract.ts'
import type { SocketLike } from '../options.ts'

interface Request {
  readonly id: number
  readonly action: string
  readonly channel: string
  readonly since?: Position | null
  readonly data?: unknown
  readonly idempotencyKey?: string
  readonly token?: string
}

interface Logged {
  readonly data: unknown
  readonly key: string | undefined
}

type Listener = (event: never) => void

/** The server of the channel protocol as far as a client sees it, and a network between them that a test moves by hand. */
export class FakeServer {
  epoch = 1
  /** How many messages of a channel it keeps. */
  kept = 5
  readonly #logs = new Map<string, Logged[]>()
  /** The connection that the client has, or tries to get. */
  socket: FakeSocket | null = null
  /** How many connections there have been. */
  connections = 0
  /** Tokens that came first. */
  readonly tokens: string[] = []
  isUp = true
  greeting: Readonly<Record<string, unknown>> = {}
  routeChannels: readonly string[] = []
  awaitsToken = false

  /** What the client makes its WebSockets with. */
  get WebSocket(): new (url: string, protocols: string[]) => FakeSocket {
    return FakeSocket.bind(null, this) as new (url: string, protocols: string[]) => FakeSocket
  }

  connect(socket: FakeSocket): void {
    this.socket = socket
    this.connections++
    if (this.isUp) this.#accept(socket)
    else socket.fromServer.push({ type: 'close', code: 1006, reason: '' })
  }

  log(channel: string): readonly Logged[] {
    return this.#logs.get(channel) ?? []
  }

  publish(channel: string, data: unknown, key?: string): number {
    const log = this.#logs.get(channel) ?? []
    this.#logs.set(channel, log)
    const before = key === undefined ? -1 : log.findIndex((each) => each.key === key)
    if (before >= 0) return before + 1
    log.push({ data, key })
    if (this.socket?.subscribed.has(channel)) this.socket.tell({ channel, offset: log.length, data })
    return log.length
  }

  /** Leaves messages out for the client, and tells it so: one, or the outer two of three. */
  skip(channel: string, isOne: boolean): void {
    const { socket } = this
    const from = this.hide(channel)
    const to = isOne ? from : (this.hide(channel), this.hide(channel))
    if (!socket?.subscribed.has(channel)) return
    socket.tell({ channel, skipped: { from, to, count: isOne ? 1 : 2 } })
    if (!isOne) socket.tell({ channel, offset: from + 1, data: 'between' })
  }

  /** A mistake: the client gets nothing of the message, and no word about it. */
  hide(channel: string): number {
    const log = this.#logs.get(channel) ?? []
    this.#logs.set(channel, log)
    return log.push({ data: 'hidden', key: undefined })
  }

  /** Everything is gone, and the process is another one. */
  restart(): void {
    this.epoch++
    this.#logs.clear()
    this.socket?.cut()
  }

  #accept(socket: FakeSocket): void {
    socket.fromServer.push({ type: 'open' })
    if (!this.awaitsToken) this.greet(socket)
  }

  greet(socket: FakeSocket): void {
    const connected = {
      protocol: 'scherzo.v1',
      identity: null,
      expires: null,
      channels: this.routeChannels,
      pingInterval: 30,
      maxMessageBytes: 1000,
      ...this.greeting
    }
    socket.tell({ connected })
    for (const channel of this.routeChannels) this.#subscribe(socket, { id: 0, action: '', channel })
  }

  take(socket: FakeSocket, request: Request): void {
    const { id, action, channel, data, idempotencyKey } = request
    if (action === 'authenticate') {
      this.tokens.push(request.token!)
      this.greet(socket)
      socket.answer({ id, ok: {} })
    } else if (action === 'subscribe') {
      this.#subscribe(socket, request)
      socket.answer({ id, ok: this.#place(channel) })
    } else if (action === 'unsubscribe') {
      socket.subscribed.delete(channel)
      socket.answer({ id, ok: {} })
    } else if (action === 'publish') {
      const offset = this.publish(channel, data, idempotencyKey)
      socket.answer({ id, ok: { epoch: String(this.epoch), offset } })
    } else if (action === 'renew') {
      this.tokens.push(request.token!)
      socket.answer({ id, ok: { expires: null } })
    } else socket.answer({ id, error: { code: 'SCZ_ERR_PROTOCOL_ACTION', message: 'Unknown action' } })
  }

  #subscribe(socket: FakeSocket, { channel, since = null }: Request): void {
    const log = this.log(channel)
    const { epoch, offset } = this.#place(channel)
    if (since === null && socket.subscribed.has(channel)) return
    socket.subscribed.add(channel)
    socket.tell({ channel, subscribed: { epoch, offset } })
    if (since === null) return
    if (since.epoch !== epoch) return socket.tell({ channel, epoch, lost: { from: 1, to: offset } })
    const first = Math.max(since.offset, offset - this.kept) + 1
    if (first > since.offset + 1) socket.tell({ channel, lost: { from: since.offset + 1, to: first - 1 } })
    for (let next = first; next <= offset; next++)
      socket.tell({ channel, offset: next, data: log[next - 1]!.data })
  }

  #place(channel: string): Position {
    return { epoch: String(this.epoch), offset: this.log(channel).length }
  }
}

type WireEvent =
  | { readonly type: 'open' }
  | { readonly type: 'message'; readonly data: string | ArrayBuffer }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }

/** A connection whose two directions hold what is sent until a test lets it arrive. */
export class FakeSocket implements SocketLike {
  readonly url: string
  protocol: string
  binaryType = 'blob'
  readonly fromServer: WireEvent[] = []
  readonly fromClient: string[] = []
  /** Answers that take longer than what comes behind them. */
  readonly held: object[] = []
  readonly subscribed: Set<string> = new Set()
  readonly #server: FakeServer
  readonly #listeners: Partial<Record<string, Listener>> = {}
  isCut = false

  constructor(server: FakeServer, url: string, protocols: string[]) {
    this.#server = server
    this.url = url
    this.protocol = protocols[0]!
    server.connect(this)
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners[type] = listener
  }

  send(text: string): void {
    if (!this.isCut) this.fromClient.push(text)
  }

  /** The client closes. */
  close(): void {
    this.cut()
  }

  /** What is under way is lost; the client hears of it. */
  cut(code = 1006): void {
    if (this.isCut) return
    this.isCut = true
    this.fromServer.length = 0
    this.fromClient.length = 0
    this.held.length = 0
    this.subscribed.clear()
    this.fromServer.push({ type: 'close', code, reason: '' })
  }

  tell(notice: object): void {
    if (!this.isCut) this.fromServer.push({ type: 'message', data: JSON.stringify(notice) })
  }

  answer(answer: object): void {
    this.held.push(answer)
  }

  /** Lets one of the answers go. */
  release(index = 0): void {
    const [answer] = this.held.splice(index % Math.max(1, this.held.length), 1)
    if (answer !== undefined) this.tell(answer)
  }

  /** Something of the client's arrives. */
  moveUp(): void {
    const text = this.fromClient.shift()
    if (text !== undefined) this.#server.take(this, JSON.parse(text) as Request)
  }

  /** So many messages arrive at the client, as one batch if they are more. */
  moveDown(count = 1): void {
    const texts: string[] = []
    while (texts.length < count && this.fromServer[0]?.type === 'message')
      texts.push((this.fromServer.shift() as { readonly data: string }).data)
    if (texts.length > 0)
      this.emit({ type: 'message', data: texts.length === 1 ? texts[0]! : `[${texts.join()}]` })
    else if (this.fromServer.length > 0) this.emit(this.fromServer.shift()!)
  }

  /** All that is under way arrives, and all that this leads to. */
  settle(): void {
    while (this.fromServer.length + this.fromClient.length + this.held.length > 0) {
      this.moveUp()
      this.release()
      this.moveDown()
    }
  }

  emit(event: WireEvent): void {
    this.#listeners[event.type]?.(event as never)
  }
}
