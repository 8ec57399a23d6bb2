import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ScherzoError } from '../../../errors.ts'
import type {
  Broker,
  BrokerFigures,
  BrokerListener,
  Delivery,
  Outgoing,
  Past,
  PastQuery,
  Place
} from '../../broker.ts'
import type { Published } from '../../settler.ts'
import { type BrokerAddress, nameOf } from '../address.ts'
import { decodeBody, encodeBody, readNumber } from '../body.ts'
import { Heartbeat } from '../heartbeat.ts'
import { inTime } from '../in-time.ts'
import type { BrokerOptions } from '../open.ts'
import { Uncertain, WaitingLine } from '../waiting-line.ts'
import { errorOf, startErrorOf } from './errors.ts'
import { LIBRARY, PAST, PUBLISH, RENEW } from './functions.ts'
import type { RedisLink, RedisText } from './link.ts'
import { openLink } from './open-link.ts'

const MIN_VERSION = 7
/** Redis takes no longer value, unless it is told otherwise. */
const MAX_MESSAGE_BYTES = 512 * 2 ** 20 - 65_536
/** For how long a channel that nobody uses keeps its epoch beyond its history, in milliseconds. */
const IDLE_TTL = 86_400_000
/** The client subscribes again first, in milliseconds. */
const DOUBT_DELAY = 300
const EPOCH_DIGITS = 32
/** How long what is under way has when the server closes, in milliseconds. */
const LAST_ANSWERS = 1000

/**
 * Redis 7 and later, alone, as a cluster or behind sentinels. One function gives a message its place, keeps it in a stream and
 * publishes it. docs/SCALING.md says what lies where.
 */
export class RedisBroker implements Broker {
  readonly name: string
  readonly maxMessageBytes: number = MAX_MESSAGE_BYTES
  readonly #prefix: string
  readonly #timeout: number
  readonly #idempotencyWindow: number
  readonly #link: RedisLink
  readonly #line: WaitingLine
  readonly #heartbeat: Heartbeat
  /** What the epochs that are made for this instance begin with. */
  readonly #seed = randomBytes(8).toString('hex')
  /** Of messages with an idempotency key: one that is sent again is no duplicate of itself. */
  readonly #ids = new WeakMap<Outgoing, string>()
  #lastId = 0
  #listener: BrokerListener | null = null
  #reconnects = 0
  #isUp = false
  #isClosed = false
  #isReturning = false
  #doubtTimer: NodeJS.Timeout | null = null

  constructor(address: BrokerAddress, { prefix, timeout, idempotencyWindow }: BrokerOptions) {
    this.name = nameOf(address)
    this.#prefix = prefix
    this.#timeout = timeout
    this.#idempotencyWindow = idempotencyWindow
    this.#link = openLink(address)
    this.#line = new WaitingLine((message) => this.#send(message), timeout)
    this.#heartbeat = new Heartbeat(() => this.#link.ping())
  }

  get figures(): BrokerFigures {
    return {
      isReachable: this.#isUp && this.#heartbeat.isAnswered,
      pending: this.#line.pending,
      lag: this.#line.lag,
      reconnects: this.#reconnects
    }
  }

  async connect(listener: BrokerListener): Promise<void> {
    this.#listener = listener
    try {
      await this.#link.connect({
        onUp: () => void this.#goUp(),
        onDown: (reason) => this.#goDown(reason),
        onDoubt: () => this.#doubt()
      })
      await this.#checkVersion()
      await this.#link.load(LIBRARY)
      await this.#link.subscribeGlobal(this.#signals, (signal) => listener.onSignal(signal))
    } catch (error) {
      await this.close()
      throw startErrorOf(error, this.name)
    }
    this.#isUp = true
    this.#line.open()
    this.#heartbeat.start()
  }

  publish(message: Outgoing): Promise<Published> {
    if (message.idempotencyKey === '') return this.#line.push(message)
    if (this.#idempotencyWindow === 0) return this.#line.push({ ...message, idempotencyKey: '' })
    this.#ids.set(message, `${this.#seed}${++this.#lastId}`)
    return this.#line.push(message)
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    const names = channels.map((channel) => this.#name(channel))
    await this.#link.subscribe(names, this.#onMessage)
  }

  unsubscribe(channels: readonly string[]): void {
    const names = channels.map((channel) => this.#name(channel))
    // A connection that is lost has nothing subscribed to.
    this.#link.unsubscribe(names).catch(() => {})
  }

  async past(channel: string, query: PastQuery): Promise<Past> {
    const { retention, limit } = query
    const count = retention === null ? 0 : limit
    let { after } = query
    for (;;) {
      const args = [
        query.epoch ?? '',
        text(after),
        text(count),
        text(query.maxBytes),
        text(retention?.size ?? 0)
      ]
      const answer = (await this.#answer(PAST, channel, args)) as Buffer[]
      const [epoch, offset, now] = answer.slice(0, 3).map(String) as [string, string, string]
      const place = { epoch, offset: Number(offset) }
      const all = answer.slice(3).map((rest) => deliveryOf(channel, epoch, rest))
      const since = Number(now) - (retention?.age ?? 0) * 1000
      const messages = all.filter(({ time }) => time >= since)
      const last = all.at(-1)
      // All of these are too old, and there are more behind them.
      if (last !== undefined && messages.length === 0 && last.offset < place.offset) after = last.offset
      else return { ...place, first: messages[0]?.offset ?? place.offset + 1, messages }
    }
  }

  async renew(channel: string, { epoch, offset }: Place): Promise<void> {
    await this.#answer(RENEW, channel, [epoch, text(offset)])
  }

  async signal(signal: Uint8Array): Promise<number | null> {
    const receivers = await this.#link.publishGlobal(this.#signals, Buffer.from(signal))
    return receivers === null ? null : Math.max(0, receivers - 1)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#heartbeat.stop()
    if (this.#isUp) await this.#line.settle(LAST_ANSWERS)
    this.#line.close()
    this.#link.destroy()
  }

  get #signals(): string {
    return `${this.#prefix}:signals`
  }

  readonly #onMessage = (message: Buffer, name: Buffer): void => {
    if (message.length < MIN_MESSAGE_BYTES) return
    const channel = name.toString('utf8', this.#prefix.length + NAME_START.length, name.length - 1)
    const epoch = message.toString('latin1', 0, EPOCH_DIGITS)
    this.#listener!.onDelivery(deliveryOf(channel, epoch, message.subarray(EPOCH_DIGITS)))
  }

  /** All keys of a channel have to lie at one node of a cluster: what is in braces decides. */
  #name(channel: string): string {
    return `${this.#prefix}${NAME_START}${channel}}`
  }

  async #send(message: Outgoing): Promise<Published> {
    const { channel, retention, idempotencyKey } = message
    const name = this.#name(channel)
    const age = Math.ceil((retention?.age ?? 0) * 1000)
    const id = this.#ids.get(message) ?? ''
    // Whatever the key is, what is behind the last colon has no braces and no colons.
    const once = Buffer.from(idempotencyKey).toString('base64url')
    const keys = [`${name}:o`, `${name}:s`, `${name}:i:${once}`]
    const args = [
      this.#seed,
      text(IDLE_TTL + age),
      text(retention?.size ?? 0),
      text(age),
      this.#link.isCluster ? 'SPUBLISH' : 'PUBLISH',
      name,
      encodeBody(message),
      idempotencyKey === '' ? '0' : text(this.#idempotencyWindow),
      id
    ]
    const answer = String(await this.#run(PUBLISH, name, keys, args))
    const [offset, taken = ''] = answer.slice(EPOCH_DIGITS).split(' ')
    const place = { epoch: answer.slice(0, EPOCH_DIGITS), offset: Number(offset) }
    return taken === id ? place : { ...place, duplicate: true }
  }

  async #run(
    name: string,
    key: string,
    keys: readonly string[],
    args: readonly RedisText[]
  ): Promise<unknown> {
    try {
      return await this.#link.run(key, ['FCALL', name, text(keys.length), ...keys, ...args])
    } catch (error) {
      const known = errorOf(error)
      if (known.isFunctionMissing) await this.#link.load(LIBRARY).catch(() => {})
      throw known.error
    }
  }

  async #answer(called: string, channel: string, args: readonly string[]): Promise<unknown> {
    const name = this.#name(channel)
    const command = ['FCALL', called, '2', `${name}:o`, `${name}:s`, this.#seed, text(IDLE_TTL), ...args]
    try {
      return await this.#inTime(this.#link.runForBytes(name, command))
    } catch (error) {
      const known = errorOf(error)
      if (!known.isFunctionMissing) throw known.error
      await this.#link.load(LIBRARY)
      return this.#inTime(this.#link.runForBytes(name, command))
    }
  }

  #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return inTime(
      answer,
      this.#timeout * 1000,
      () => new ScherzoError('SCZ_ERR_BROKER_REFUSED', [`it has not answered for ${this.#timeout} s`])
    )
  }

  async #checkVersion(): Promise<void> {
    const [, version = '0'] = /^redis_version:(\S+)/m.exec(await this.#link.info()) ?? []
    if (Number.parseInt(version) < MIN_VERSION)
      throw new ScherzoError('SCZ_ERR_BROKER_VERSION', [this.name, version, `${MIN_VERSION}.0`])
  }

  async #goUp(): Promise<void> {
    if (this.#isUp || this.#isClosed || this.#listener === null || !this.#heartbeat.isStarted) return
    if (this.#isReturning) return
    this.#isReturning = true
    const isReady = await this.#prepare()
    this.#isReturning = false
    if (!isReady) return
    this.#isUp = true
    this.#reconnects++
    this.#listener.onNotice('info', `The broker ${this.name} is back`)
    this.#line.open()
    this.#listener.onReturn()
  }

  /**
   * It may have been started anew, without the functions, and refuses everything while it loads its data. Nothing may be published
   * before that is over: what is refused then would come behind what is not.
   */
  async #prepare(): Promise<boolean> {
    while (!this.#isClosed) {
      try {
        await this.#link.load(LIBRARY)
        return true
      } catch (error) {
        // Lost again: it comes back again.
        if (errorOf(error).error instanceof Uncertain) return false
        await delay(DOUBT_DELAY, undefined, { ref: false })
      }
    }
    return false
  }

  /** Of what comes together, only the last has to be looked into. */
  #doubt(): void {
    this.#doubtTimer?.refresh()
    this.#doubtTimer ??= setTimeout(() => {
      this.#doubtTimer = null
      this.#reconnects++
      if (!this.#isClosed) this.#listener?.onReturn()
    }, DOUBT_DELAY).unref()
  }

  #goDown(reason: string): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#line.shut()
    this.#listener?.onNotice('warn', `The broker ${this.name} is lost: ${reason}`)
  }
}

/** Whatever is shorter is of somebody else. */
const MIN_MESSAGE_BYTES = EPOCH_DIGITS + 21
const NAME_START = ':{c:'

function text(number: number | null): string {
  return number === null ? '' : number === Infinity ? '1e15' : String(number)
}

function deliveryOf(channel: string, epoch: string, rest: Buffer): Delivery {
  return {
    channel,
    epoch,
    time: readNumber(rest, 0),
    offset: readNumber(rest, 8),
    ...decodeBody(rest.subarray(16))
  }
}
