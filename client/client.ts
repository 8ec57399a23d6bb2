import { ChannelSet } from './channel-set.ts'
import { renewalIn } from './close-codes.ts'
import type {
  AnyChannels,
  ChannelData,
  ChannelMessage,
  ChannelName,
  History,
  HistoryOptions,
  PublishOptions,
  Publishable,
  Published
} from './contract.ts'
import { ClientError, ownError } from './errors.ts'
import { type ClientEvents, type ClientState, Listeners } from './events.ts'
import { historyOf } from './history.ts'
import { Link } from './link.ts'
import type { Connected, Notice } from './notices.ts'
import { type ClientOptions, type Source, type SubscribeOptions, valueOf } from './options.ts'
import { type Presence, type PresenceNotice, nextPresence } from './presence.ts'
import { type Answered, Requests } from './requests.ts'
import type { MessageListener, Subscription } from './subscription.ts'

/**
 * Connects to a WebSocket route of Scherzo, and stays connected until `close()` or until the server ends it for good.
 *
 * @param url `ws:` or `wss:`, or a function that is asked for it before each attempt
 * @throws SCZ_ERR_CLIENT_WEBSOCKET
 *
 * @example
 * const client = connect<Channels>('wss://example.com/live')
 * client.subscribe('ticks', ({ price }) => show(price))
 */
export function connect<Channels extends object = AnyChannels>(
  url: Source<string>,
  options: ClientOptions = {}
): Client<Channels> {
  return new Client(url, options)
}

/** A client of the channels of one route. */
export class Client<Channels extends object = AnyChannels> {
  readonly #options: ClientOptions
  readonly #listeners = new Listeners()
  readonly #requests: Requests
  readonly #channels: ChannelSet
  readonly #link: Link
  /** With a number behind it, names each publish, so that the server takes it once however often it is sent. */
  readonly #name = randomName()
  #publishes = 0
  #renewal: ReturnType<typeof setTimeout> | undefined

  constructor(url: Source<string>, options: ClientOptions) {
    this.#options = options
    this.#requests = new Requests(options.queue ?? 1000)
    this.#channels = new ChannelSet({
      isOpen: () => this.#link.send !== null,
      askNow: (fields, answered) => this.#askNow(fields, answered),
      tell: (name, event) => this.#listeners.tell(name, event),
      fail: (error) => this.#link.fail(error)
    })
    this.#link = new Link(url, options, {
      onOpen: (token) => this.#authenticate(token),
      onNotice: (notice) => this.#take(notice),
      onSilence: () => this.#askNow({ action: 'ping' }),
      onBreak: () => this.#break(),
      onError: (error) => this.#listeners.tell('error', error),
      onEnd: (error) => this.#end(error),
      onState: (state) => this.#listeners.tell('state', state)
    })
  }

  get state(): ClientState {
    return this.#link.state
  }

  /** While the client is `waiting`, when it will try again, in milliseconds since 1970; otherwise null. */
  get retryAt(): number | null {
    return this.#link.retryAt
  }

  /**
   * Calls the listener for every event of that name.
   *
   * @returns ends that
   */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#listeners.add(name, listener)
  }

  /**
   * Subscribes to a channel, with a listener or for a `for await` loop. Messages come in order, each once; after a connection
   * was lost it goes on where it was, or the event `lost` says what is missing.
   *
   * @throws SCZ_ERR_CLIENT_CLOSED, SCZ_ERR_CLIENT_SINCE
   *
   * @example
   * for await (const { data } of client.subscribe('ticks')) show(data.price)
   */
  subscribe<Name extends ChannelName<Channels>>(
    channel: Name,
    listener: (
      data: ChannelData<Channels, Name>,
      message: ChannelMessage<ChannelData<Channels, Name>>
    ) => void,
    options?: SubscribeOptions
  ): Subscription<ChannelMessage<ChannelData<Channels, Name>>>
  subscribe<Name extends ChannelName<Channels>>(
    channel: Name,
    options?: SubscribeOptions
  ): Subscription<ChannelMessage<ChannelData<Channels, Name>>>
  subscribe(
    name: string,
    first?: MessageListener | SubscribeOptions,
    second: SubscribeOptions = {}
  ): unknown {
    const [listener, options] = typeof first === 'function' ? [first, second] : [undefined, first ?? second]
    if (this.state === 'closed') throw ownError('SCZ_ERR_CLIENT_CLOSED')
    return this.#channels.join(name, listener, options)
  }

  /**
   * Publishes a message. Without a connection it waits for one; if that is lost before the answer, the message goes again, with the
   * key by which the server knows it.
   *
   * @returns resolves when the server has given it its place in the channel
   * @throws SCZ_ERR_CLIENT_CLOSED, SCZ_ERR_CLIENT_ENDED, SCZ_ERR_CLIENT_QUEUE, SCZ_ERR_CLIENT_SIZE, SCZ_ERR_CLIENT_DATA, and
   *   what the server refuses it with, all by the promise
   */
  async publish<Name extends ChannelName<Channels>>(
    channel: Name,
    data: Publishable<ChannelData<Channels, Name>>,
    options: PublishOptions = {}
  ): Promise<Published> {
    const idempotencyKey = options.idempotencyKey ?? `${this.#name}-${++this.#publishes}`
    return this.#ask({ action: 'publish', channel, key: options.key, idempotencyKey }, encode(data))
  }

  /**
   * What a channel had before, as far as the server keeps it.
   *
   * @throws as `publish`, by the promise
   */
  async history<Name extends ChannelName<Channels>>(
    channel: Name,
    { since, limit }: HistoryOptions = {}
  ): Promise<History<ChannelData<Channels, Name>>> {
    return historyOf(channel, await this.#ask({ action: 'history', channel, since, limit }))
  }

  /**
   * Who is in a channel now. `subscribe` with `presence` tells of changes, too.
   *
   * @throws as `publish`, by the promise
   */
  async presence(channel: ChannelName<Channels>): Promise<Presence> {
    return nextPresence(null, await this.#ask<PresenceNotice>({ action: 'presence', channel }))
  }

  /** Ends everything. What has no answer yet is rejected with SCZ_ERR_CLIENT_CLOSED; loops end. */
  close(): void {
    this.#link.close(null)
  }

  async #ask<Result>(fields: object, data: string | null = null): Promise<Result> {
    if (this.state === 'closed') throw ownError('SCZ_ERR_CLIENT_CLOSED')
    return this.#requests.ask(fields, data, this.#link.send)
  }

  #askNow(fields: object, answered: Answered = () => {}): void {
    this.#requests.askNow(fields, this.#link.sendEarly, answered)
  }

  #authenticate(token: string | undefined): void {
    // A route that knows its clients already says that it did not need it, and that is all.
    if (token !== undefined) this.#askNow({ action: 'authenticate', token })
  }

  #take(notice: Notice): void {
    const { id, connected, drain, error, channel, offset }: Notice = isObject(notice) ? notice : {}
    if (id !== undefined && ('ok' in notice || error !== undefined)) this.#requests.answer(notice)
    else if (connected !== undefined) this.#welcome(connected)
    else if (drain !== undefined) {
      this.#link.drain(drain.after)
      this.#listeners.tell('drain', drain)
    } else if (channel !== undefined) this.#channels.take(channel, notice)
    else if (error !== undefined) this.#listeners.tell('error', new ClientError(error.code, error.message))
    else if (offset !== undefined) {
      this.#listeners.tell('broadcast', { data: notice.data, offset })
    } else if (isObject(notice) && 'data' in notice) {
      this.#listeners.tell('direct', { data: notice.data })
    } else this.#listeners.tell('message', notice)
  }

  #welcome({ expires, channels, pingInterval, maxMessageBytes }: Connected): void {
    this.#requests.maxMessageBytes = maxMessageBytes
    this.#renewLater(expires)
    this.#link.welcome(pingInterval * 1000, () => {
      this.#channels.begin(channels)
      this.#requests.sendAgain(this.#link.sendEarly)
    })
  }

  #renewLater(expires: number | null): void {
    clearTimeout(this.#renewal)
    const { token } = this.#options
    if (expires === null || typeof token !== 'function') return
    this.#renewal = setTimeout(() => void this.#renewToken(expires), renewalIn(expires, Date.now()))
  }

  /** Until it expires there is time for a few attempts; then the server closes, and the client comes back with another token. */
  async #renewToken(expires: number): Promise<void> {
    const fail = (error: ClientError): void => {
      if (this.state === 'open') this.#renewLater(expires)
      this.#listeners.tell('error', error)
    }
    try {
      const token = await valueOf(this.#options.token!)
      if (this.state !== 'open') return
      this.#askNow({ action: 'renew', token }, (error, ok) => {
        if (error === null) this.#renewLater((ok as Connected).expires)
        else fail(error)
      })
    } catch (cause) {
      fail(ownError('SCZ_ERR_CLIENT_TOKEN', cause))
    }
  }

  #break(): void {
    clearTimeout(this.#renewal)
    this.#requests.drop()
    this.#channels.pause()
  }

  #end(error: ClientError): void {
    const byServer = error.code === 'SCZ_ERR_CLIENT_CLOSED' ? null : error
    clearTimeout(this.#renewal)
    this.#requests.rejectAll(error)
    this.#channels.end(byServer)
    if (byServer !== null) this.#listeners.tell('error', byServer)
  }
}

/** @throws SCZ_ERR_CLIENT_DATA */
function encode(data: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(data)
  } catch (cause) {
    throw ownError('SCZ_ERR_CLIENT_DATA', cause)
  }
  if (json === undefined) throw ownError('SCZ_ERR_CLIENT_DATA')
  return json
}

function isObject(value: unknown): value is object {
  return Object(value) === value && !(value instanceof Uint8Array)
}

/** Pages without TLS have no randomUUID. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('')
}
