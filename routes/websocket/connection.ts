import type { FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import type { Format } from '../../core/broadcast/format.ts'
import { Outbox } from '../../core/broadcast/outbox.ts'
import type { Recovered, Since } from '../../core/broadcast/since.ts'
import type { Membership } from '../../core/broadcast/subscriptions.ts'
import { isTagged, wrap } from '../../core/broadcast/wrapping.ts'
import { ScherzoError } from '../../core/errors.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { compress } from '../../core/websocket/deflate.ts'
import { plainProtocol } from '../../core/websocket/deflate-protocol.ts'
import type { ParserSettings } from '../../core/websocket/frame-parser.ts'
import { binaryFrame, closeFrame, pingFrame, textFrame } from '../../core/websocket/frames.ts'
import type { AcceptedHandshake } from '../../core/websocket/handshake.ts'
import type { Client } from '../protocol/client.ts'
import { connectedNotice, drainNotice, unsubscribedNotice } from '../protocol/notices.ts'
import type { Reconnect } from '../protocol/notices.ts'
import { Session } from '../protocol/session.ts'
import { SUBPROTOCOL } from '../protocol/subprotocol.ts'
import type { Endpoint } from './endpoint.ts'
import { FirstMessage, MAX_FIRST_MESSAGE } from './first-message.ts'
import type { HubSocket } from './hub-socket.ts'
import { Intake } from './intake.ts'
import type { IntakeOwner } from './intake.ts'
import { listen } from './socket-events.ts'
import type { SocketListener } from './socket-events.ts'
import { Standing } from './standing.ts'
import { bytesToCompress, readTagged, taggedFrame } from './tagged-messages.ts'

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
  /** How it gets the messages of its channels. */
  readonly format: Format
}

/** A WebSocket from the 101 on. */
export class Connection implements IntakeOwner, SocketListener, Client {
  readonly #socket: Socket
  readonly #endpoint: Endpoint
  readonly outbox: Outbox
  /** Null while it has nothing to remember, as with all that are idle. */
  #intake: Intake | null
  /** What we may compress with; 0 where compression was not agreed on. */
  readonly #maxWindowBits: number
  readonly #format: Format
  readonly #group: number
  /** Null until it is open to the app: what is broadcast is for those whose identity is settled. */
  #membership: Membership | null
  /** Null on routes that neither ask who connects nor have handlers. */
  readonly standing: Standing | null
  /** What the identity is to come in. */
  #first: FirstMessage | null
  /** The limits that the intake heeds while nobody knows whose messages it reads. */
  #firstLimits: { -readonly [Name in keyof ParserSettings]: ParserSettings[Name] } | null
  /** Of the client, where its sockets are counted. */
  readonly #address: string | null
  /** Whether its messages are requests of the channel protocol. */
  readonly speaksProtocol: boolean
  /** Its requests, from the first one on. */
  #session: Session | null
  /** What the app sees, if it sees anything. */
  #view: HubSocket | null
  #state: typeof OPEN | typeof CLOSING | typeof ENDED
  /** Ping intervals since anything came. */
  #silence: number
  /** What waited for the client at the last of them. */
  #buffered: number

  constructor(socket: Socket, endpoint: Endpoint, { deflate, protocol }: AcceptedHandshake, origin: Origin) {
    const { roster, addresses } = endpoint.services
    this.#socket = socket
    this.#endpoint = endpoint
    this.outbox = new Outbox(socket)
    this.#maxWindowBits = deflate?.maxWindowBits ?? 0
    this.#firstLimits = origin.isAwaited ? { ...this.#limits, maxMessageBytes: MAX_FIRST_MESSAGE } : null
    this.#format = origin.format
    this.#group = roster.add(this)
    this.#membership = null
    this.standing = endpoint.hasIdentities || endpoint.hasHandlers ? new Standing(this, endpoint) : null
    this.#first = null
    this.#address = origin.address
    if (origin.address !== null) addresses.add(origin.address)
    this.speaksProtocol = protocol !== null && plainProtocol(protocol) === SUBPROTOCOL
    this.#intake = null
    this.#session = null
    this.#view = null
    this.#state = OPEN
    this.#silence = 0
    this.#buffered = 0
    listen(socket, this)
  }

  /** @param unread what the client sent right behind its handshake */
  open(view: HubSocket | null, request: FastifyRequest, channels: readonly string[], unread: Buffer): void {
    const { options, services } = this.#endpoint
    this.#view = view
    this.#first = null
    if (this.#firstLimits !== null) this.#firstLimits.maxMessageBytes = options.maxMessageBytes
    this.#firstLimits = null
    const membership = services.subscriptions.join(this.outbox, options.slow, this, this.#format)
    this.#membership = membership
    if (this.speaksProtocol) this.send(connectedNotice(options, this.standing, channels), false)
    for (const channel of channels) void this.#subscribe(membership, channel)
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

  get isHeldUp(): boolean {
    return this.#session?.isHeldUp === true
  }

  send(data: string | Uint8Array, isBinary: boolean): void {
    if (this.#state !== OPEN) return
    if (isTagged(this.#format)) return this.outbox.send(taggedFrame(data, isBinary, this.#endpoint.options))
    const compressed = this.#maxWindowBits > 0 ? this.#compress(data) : null
    const compose = isBinary ? binaryFrame : textFrame
    this.outbox.send(compose(compressed ?? data, compressed !== null))
  }

  /** Sends a plain frame that others get, too. */
  sendFrame(frame: Buffer): void {
    this.outbox.send(wrap(frame, this.#format, null))
  }

  subscribe(channel: string, since?: Since | null): Promise<Recovered | null | void> | undefined {
    if (since !== undefined) return this.catchUp(channel, since)
    if (this.#state !== OPEN || this.#membership === null) return undefined
    return this.#subscribe(this.#membership, channel)
  }

  catchUp(channel: string, since: Since | null): Promise<Recovered | null> {
    if (this.#state !== OPEN || this.#membership === null) return Promise.resolve(null)
    const outcome = this.#membership.subscribe(channel, since)
    this.standing?.attend(channel)
    return outcome
  }

  get channels(): number {
    return this.#membership?.size ?? 0
  }

  has(channel: string): boolean {
    return this.#membership?.has(channel) === true
  }

  unsubscribe(channel: string): boolean {
    if (this.#state !== OPEN || this.#membership === null) return false
    this.standing?.absent(channel)
    return this.#membership.unsubscribe(channel)
  }

  /** @throws SCZ_ERR_HUB_CHANNEL, SCZ_ERR_HUB_PRESENCE */
  watchPresence(channel: string): void {
    if (this.#state === OPEN) this.#membership?.watchPresence(channel)
  }

  unwatchPresence(channel: string): void {
    if (this.#state === OPEN) this.#membership?.unwatchPresence(channel)
  }

  /** Unsubscribes without having been asked to by the client. */
  withdraw(channel: string): void {
    this.#session?.callOff(channel)
    if (this.unsubscribe(channel) && this.speaksProtocol) this.send(unsubscribedNotice(channel), false)
  }

  /** Closes it because the worker ends. */
  closeForDrain(reconnect: Reconnect, sockets: number): void {
    if (this.speaksProtocol && this.#membership !== null) this.send(drainNotice(reconnect, sockets), false)
    this.close(closeCodes.goingAway, 'The server is going away')
  }

  close(code: number, reason: string): void {
    const frame = closeFrame(code, reason)
    if (this.#state !== OPEN) return
    this.#state = CLOSING
    this.#membership?.flush()
    this.#leave()
    this.outbox.send(frame)
    this.#endpoint.services.deadlines.add(this)
    this.#intake?.hurry()
  }

  /** @param error one of the catalogue that has a close code */
  closeFor(error: ScherzoError): void {
    this.close(error.closeCode ?? closeCodes.internalError, error.message)
  }

  receive(chunk: Buffer): void {
    this.#silence = 0
    if (this.#state === ENDED) return
    const intake = (this.#intake ??= this.#createIntake())
    intake.receive(chunk)
    if (intake.isAtRest) this.#intake = null
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    if (!isBinary || !isTagged(this.#format)) return this.#take(data, isBinary)
    const message = readTagged(data, (this.#firstLimits ?? this.#endpoint.options).maxMessageBytes)
    this.#take(message.data, message.isBinary)
  }

  #take(data: Buffer, isBinary: boolean): void {
    const { onMessage } = this.#endpoint.options
    const view = this.#view
    if (this.#state === OPEN && this.#first !== null) return this.#first.receive(data, isBinary)
    if (this.#state !== OPEN) return
    if (this.speaksProtocol) return this.#request(data, isBinary)
    if (onMessage === null || view === null) return
    this.#intake?.count()
    try {
      const result = onMessage(view, isBinary ? ownCopy(data) : data.toString(), isBinary)
      if (result instanceof Promise) this.#watch('onMessage', result)
    } catch (error) {
      this.failHandler('onMessage', error)
    }
  }

  onPing(payload: Buffer): void {
    if (this.#state === OPEN) this.#intake?.answer(payload)
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
    // Nobody hears what it says.
    if (this.isHeldUp || this.#intake?.isHolding === true) this.#silence = 0
    this.#buffered = bufferedBytes
    if (this.#silence === 2) return this.cut()
    this.#silence++
    if (this.#state === OPEN && !isStalled) this.outbox.send(PING)
  }

  cut(): void {
    this.#socket.destroy()
  }

  resumeReading(): void {
    this.#intake?.resume()
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
    this.#intake?.end()
    if (this.#state !== ENDED) this.#finish(closeCodes.abnormal, '')
  }

  get #limits(): ParserSettings {
    return this.#endpoint.parserSettings(this.#maxWindowBits > 0)
  }

  #createIntake(): Intake {
    return new Intake(this.#socket, this, this.outbox, {
      limits: this.#firstLimits ?? this.#limits,
      mayInflate: this.#maxWindowBits > 0 || isTagged(this.#format),
      // Requests of the protocol are refused instead.
      rate: this.speaksProtocol ? null : this.#endpoint.pace
    })
  }

  #request(data: Buffer, isBinary: boolean): void {
    this.#session ??= new Session(this, this.#endpoint)
    this.#session.receive(data, isBinary)
  }

  /** Those who speak the protocol are told where they begin. */
  #subscribe(membership: Membership, channel: string): Promise<Recovered | null | void> | undefined {
    const coming = this.speaksProtocol ? membership.subscribe(channel, null) : membership.subscribe(channel)
    this.standing?.attend(channel)
    return coming
  }

  #compress(data: string | Uint8Array): Buffer | null {
    const { compressionThreshold, compressionLevel } = this.#endpoint.options
    const bytes = bytesToCompress(data, compressionThreshold)
    return bytes === null ? null : compress(bytes, compressionLevel, this.#maxWindowBits)
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

  fail(error: unknown): void {
    if (!(error instanceof ScherzoError) || error.closeCode === null) throw error
    if (this.#state === OPEN) this.outbox.send(closeFrame(error.closeCode, error.message))
    this.#end(error.closeCode, error.message)
  }

  /** Ends the TCP connection behind what is still to be sent. What arrives until the client ends it, too, is thrown away. */
  #end(code: number, reason: string): void {
    this.#finish(code, reason)
    this.#intake?.end()
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
