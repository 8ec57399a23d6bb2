import type { FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import type { Membership } from '../../core/broadcast/subscriptions.ts'
import { ScherzoError } from '../../core/errors.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { compress } from '../../core/websocket/deflate.ts'
import { FrameParser } from '../../core/websocket/frame-parser.ts'
import type { FrameSink, ParserSettings } from '../../core/websocket/frame-parser.ts'
import { binaryFrame, closeFrame, pingFrame, pongFrame, textFrame } from '../../core/websocket/frames.ts'
import type { AcceptedHandshake } from '../../core/websocket/handshake.ts'
import type { Endpoint } from './endpoint.ts'
import { FirstMessage, MAX_FIRST_MESSAGE } from './first-message.ts'
import type { HubSocket } from './hub-socket.ts'
import { listen } from './socket-events.ts'
import type { SocketListener } from './socket-events.ts'
import { Standing } from './standing.ts'

/** While more than this waits for a client, nothing is read from it: its messages would only make more to send. */
const READ_WHILE_BELOW = 1_048_576

/**
 * Pings of one read that are answered one by one. Of more, only the last is: RFC 6455 section 5.5.3 asks for no more, and a
 * read has room for 10,000.
 */
const MAX_PONGS = 64

/**
 * Where messages may be compressed, how much is read before looking whether the client takes the answers: a chunk of 64 KiB
 * can inflate to 64 MiB of messages.
 */
const INFLATED_AT_ONCE = 4096

const PING = pingFrame()

const OPEN = 0
/** Our close frame is on its way, the client's is not here. */
const CLOSING = 1
/** Nothing is sent or heeded any more; the TCP connection ends. */
const ENDED = 2

/** What a connection is told of the client that it is from. */
export interface Origin {
  /** Null where its sockets are not counted. */
  readonly address: string | null
  /** Whether it is to say who it is in its first message. */
  readonly isAwaited: boolean
}

/** A WebSocket from the 101 on. */
export class Connection implements FrameSink, SocketListener {
  readonly #socket: Socket
  readonly #endpoint: Endpoint
  readonly #parser: FrameParser
  readonly outbox: Outbox
  /** What we may compress with; 0 where compression was not agreed on. */
  readonly #maxWindowBits: number
  readonly #group: number
  /** Null until it is open to the app: what is broadcast is for those whose identity is settled. */
  #membership: Membership | null
  /** Null on routes that do not ask who connects. */
  readonly standing: Standing | null
  /** What the identity is to come in. */
  #first: FirstMessage | null
  /** What the parser heeds while nobody knows whose messages it reads. */
  #firstLimits: { -readonly [Name in keyof ParserSettings]: ParserSettings[Name] } | null
  /** Of the client, where its sockets are counted. */
  readonly #address: string | null
  /** What the app sees, if it sees anything. */
  #view: HubSocket | null
  #state: typeof OPEN | typeof CLOSING | typeof ENDED
  /** Ping intervals since anything came. */
  #silence: number
  /** What waited for the client at the last of them. */
  #buffered: number
  /** Pings of this read. */
  #pings: number
  #lastPing: Buffer | null

  constructor(socket: Socket, endpoint: Endpoint, { deflate }: AcceptedHandshake, origin: Origin) {
    const { roster, addresses } = endpoint.services
    this.#socket = socket
    this.#endpoint = endpoint
    const limits = endpoint.parserSettings(deflate !== null)
    this.#firstLimits = origin.isAwaited ? { ...limits, maxMessageBytes: MAX_FIRST_MESSAGE } : null
    this.#parser = new FrameParser(this, this.#firstLimits ?? limits)
    this.outbox = new Outbox(socket)
    this.#maxWindowBits = deflate?.maxWindowBits ?? 0
    this.#group = roster.add(this)
    this.#membership = null
    this.standing = endpoint.hasIdentities ? new Standing(this, endpoint) : null
    this.#first = null
    this.#address = origin.address
    if (origin.address !== null) addresses.add(origin.address)
    this.#view = null
    this.#state = OPEN
    this.#silence = 0
    this.#buffered = 0
    this.#pings = 0
    this.#lastPing = null
    listen(socket, this)
  }

  /** @param unread what the client sent right behind its handshake */
  open(view: HubSocket | null, request: FastifyRequest, channels: readonly string[], unread: Buffer): void {
    const { options, services } = this.#endpoint
    this.#view = view
    this.#first = null
    if (this.#firstLimits !== null) this.#firstLimits.maxMessageBytes = options.maxMessageBytes
    this.#firstLimits = null
    const membership = services.subscriptions.join(this.outbox, options.slow, (code, reason) =>
      this.close(code, reason)
    )
    this.#membership = membership
    for (const channel of channels) void membership.subscribe(channel)
    const { onOpen } = options
    if (view !== null && onOpen !== null) this.#run('onOpen', () => onOpen(view, request))
    if (unread.length > 0) this.receive(unread)
  }

  /** Opens it to nobody until the first message has said whose it is. */
  awaitIdentity(view: HubSocket | null, request: FastifyRequest, standing: Standing, unread: Buffer): void {
    this.#first = new FirstMessage(this, this.#endpoint, standing, view, request)
    if (unread.length > 0) this.receive(unread)
  }

  get isOpen(): boolean {
    return this.#state === OPEN
  }

  send(data: string | Uint8Array, isBinary: boolean): void {
    if (this.#state !== OPEN) return
    const compressed = this.#maxWindowBits > 0 ? this.#compress(data) : null
    const compose = isBinary ? binaryFrame : textFrame
    this.outbox.send(compose(compressed ?? data, compressed !== null))
  }

  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> | undefined {
    if (since !== undefined)
      return this.#state === OPEN
        ? (this.#membership?.subscribe(channel, since) ?? Promise.resolve(null))
        : Promise.resolve(null)
    return this.#state === OPEN ? this.#membership?.subscribe(channel) : undefined
  }

  unsubscribe(channel: string): void {
    if (this.#state === OPEN) this.#membership?.unsubscribe(channel)
  }

  close(code: number, reason: string): void {
    const frame = closeFrame(code, reason)
    if (this.#state !== OPEN) return
    this.#state = CLOSING
    this.#leave()
    this.outbox.send(frame)
    this.#endpoint.services.deadlines.add(this)
    // The client's close frame is behind whatever else it has sent.
    this.#socket.resume()
  }

  /** @param error one of the catalogue that has a close code */
  closeFor(error: ScherzoError): void {
    this.close(error.closeCode ?? closeCodes.internalError, error.message)
  }

  receive(chunk: Buffer): void {
    this.#silence = 0
    if (this.#maxWindowBits === 0 || chunk.length <= INFLATED_AT_ONCE) return this.#receivePiece(chunk)
    for (let at = 0; at < chunk.length && this.#state !== ENDED; at += INFLATED_AT_ONCE) {
      // Comes again when reading goes on.
      if (this.#socket.isPaused()) return this.#socket.unshift(chunk.subarray(at))
      this.#receivePiece(chunk.subarray(at, at + INFLATED_AT_ONCE))
    }
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    const { onMessage } = this.#endpoint.options
    const view = this.#view
    if (this.#state === OPEN && this.#first !== null) return this.#first.receive(data, isBinary)
    if (this.#state !== OPEN || onMessage === null || view === null) return
    try {
      const result = onMessage(view, isBinary ? ownCopy(data) : data.toString(), isBinary)
      if (result instanceof Promise) this.#watch('onMessage', result)
    } catch (error) {
      this.failHandler('onMessage', error)
    }
  }

  onPing(payload: Buffer): void {
    if (this.#state !== OPEN) return
    this.#pings++
    if (this.#pings <= MAX_PONGS) this.outbox.send(pongFrame(payload))
    else this.#lastPing = payload
  }

  onPong(): void {
    // That it came is enough.
  }

  onClose(code: number | null, reason: string): void {
    // A code that came in may also go out: the parser lets no other through.
    if (this.#state === OPEN) this.outbox.send(closeFrame(code))
    this.#end(code ?? closeCodes.noStatus, reason)
  }

  /** A ping interval has passed. */
  tick(): void {
    const { isStalled, bufferedBytes } = this.outbox
    // A slow client answers the ping behind what it has not read, so its reading counts.
    if (isStalled && bufferedBytes !== this.#buffered) this.#silence = 0
    this.#buffered = bufferedBytes
    if (this.#silence === 2) return this.cut()
    this.#silence++
    if (this.#state === OPEN && !isStalled) this.outbox.send(PING)
  }

  cut(): void {
    this.#socket.destroy()
  }

  /** The client has ended its side without a close frame, or after it. */
  receiveEnd(): void {
    if (this.#state === ENDED) return
    this.#end(closeCodes.abnormal, '')
  }

  /** The socket has closed. */
  release(): void {
    const { roster, deadlines, addresses } = this.#endpoint.services
    if (this.#address !== null) addresses.delete(this.#address)
    roster.delete(this, this.#group)
    deadlines.delete(this)
    if (this.#state !== ENDED) this.#finish(closeCodes.abnormal, '')
  }

  #receivePiece(chunk: Buffer): void {
    if (this.#state === ENDED) return
    try {
      this.#parser.receive(chunk)
    } catch (error) {
      this.#fail(error)
    }
    if (this.#pings > 0) this.#endPings()
    if (this.#state === OPEN && this.outbox.bufferedBytes > READ_WHILE_BELOW) this.#holdReading()
  }

  #compress(data: string | Uint8Array): Buffer | null {
    const { compressionThreshold, compressionLevel } = this.#endpoint.options
    // A character takes at most three bytes.
    if (data.length * 3 < compressionThreshold) return null
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    if (bytes.length < compressionThreshold) return null
    return compress(bytes, compressionLevel, this.#maxWindowBits)
  }

  #run(name: string, handler: () => unknown): void {
    try {
      const result = handler()
      if (result instanceof Promise) this.#watch(name, result)
    } catch (error) {
      this.failHandler(name, error)
    }
  }

  #watch(name: string, result: Promise<unknown>): void {
    result.catch((error: unknown) => this.failHandler(name, error))
  }

  /** Ends the socket of a handler that threw: an error with a close code is the client's, all others are the app's. */
  failHandler(name: string, error: unknown): void {
    if (error instanceof ScherzoError && error.closeCode !== null) return this.closeFor(error)
    this.#endpoint.log.error({ err: error }, `The ${name} handler of a WebSocket failed`)
    this.close(closeCodes.internalError, 'The server failed')
  }

  #fail(error: unknown): void {
    if (!(error instanceof ScherzoError) || error.closeCode === null) throw error
    if (this.#state === OPEN) this.outbox.send(closeFrame(error.closeCode, error.message))
    this.#end(error.closeCode, error.message)
  }

  #endPings(): void {
    this.#pings = 0
    const payload = this.#lastPing
    this.#lastPing = null
    if (payload !== null && this.#state === OPEN) this.outbox.send(pongFrame(payload))
  }

  #holdReading(): void {
    // The kernel may take it all.
    this.outbox.flush()
    if (this.outbox.bufferedBytes > READ_WHILE_BELOW) this.#socket.pause()
  }

  /** Ends the TCP connection behind what is still to be sent. What arrives until the client ends it, too, is thrown away. */
  #end(code: number, reason: string): void {
    this.#finish(code, reason)
    this.#parser.stop()
    this.outbox.flush()
    this.#socket.end()
    this.#socket.resume()
    this.#endpoint.services.deadlines.add(this)
  }

  #finish(code: number, reason: string): void {
    if (this.#state === OPEN) this.#leave()
    this.#state = ENDED
    const { onClose } = this.#endpoint.options
    const view = this.#view
    if (onClose !== null && view !== null) this.#run('onClose', () => onClose(view, code, reason))
  }

  #leave(): void {
    this.#membership?.leave()
    this.#first?.leave()
    this.standing?.leave()
  }
}

/** The app may keep the message, and should not keep the whole chunk alive with it unless that is most of it. */
function ownCopy(data: Buffer): Buffer {
  return data.length * 2 >= data.buffer.byteLength ? data : Buffer.from(data)
}
