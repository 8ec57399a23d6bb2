import { performance } from 'node:perf_hooks'
import { ScherzoError } from '../../core/errors.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import type { Rate } from '../../core/token-bucket.ts'
import { rateOf } from './limits.ts'
import type { Limits } from './limits.ts'

/** What a client asked for too often. */
export class LimitError extends ScherzoError {
  /** When to try again, in seconds; null: not by waiting. */
  readonly retryAfter: number | null
  /** The client has gone on for so long that its connection is to end with this, by `closeCode`. */
  readonly isLast: boolean

  constructor(
    code: ErrorCode,
    values: readonly (string | number)[],
    retryAfter: number | null,
    isLast: boolean
  ) {
    super(code, values)
    this.retryAfter = retryAfter
    this.isLast = isLast
  }
}

/**
 * What the requests of one connection cost it, where they are answered one by one: who asks too often is told so, and when as
 * many requests have been refused as may come at once, without a pause long enough for all to be forgotten, it is the last.
 */
export class Charges {
  readonly #limits: Limits
  readonly #now: () => number
  readonly #messages: Meter | null
  readonly #subscriptions: Meter | null

  /** @param now the time in milliseconds from anywhere */
  constructor(limits: Limits, now: () => number = () => performance.now()) {
    const { messagesPerSecond, messageBurst, subscriptionsPerSecond, subscriptionBurst } = limits
    this.#limits = limits
    this.#now = now
    const perSecond = messagesPerSecond ?? REQUESTS_PER_SECOND
    this.#messages = Meter.for(rateOf(perSecond, messageBurst), 'SCZ_ERR_LIMIT_MESSAGES')
    const subscribing = rateOf(subscriptionsPerSecond, subscriptionBurst)
    this.#subscriptions = Meter.for(subscribing, 'SCZ_ERR_LIMIT_SUBSCRIPTIONS')
  }

  /**
   * For a request that is none to subscribe, whether it makes sense or not.
   *
   * @throws LimitError with SCZ_ERR_LIMIT_MESSAGES
   */
  message(): void {
    this.#messages?.count(this.#now())
  }

  /**
   * For a request to subscribe, whether it makes sense or not.
   *
   * @throws LimitError with SCZ_ERR_LIMIT_SUBSCRIPTIONS
   */
  subscription(): void {
    this.#subscriptions?.count(this.#now())
  }

  /**
   * For a channel that the connection is about to get.
   *
   * @param channels how many it has, or is about to have
   * @throws LimitError with SCZ_ERR_LIMIT_CHANNELS
   */
  channel(channels: number): void {
    const { maxChannels } = this.#limits
    if (maxChannels > 0 && channels >= maxChannels)
      throw new LimitError('SCZ_ERR_LIMIT_CHANNELS', [maxChannels], null, false)
  }

  /**
   * For the name of a channel as the client gave it.
   *
   * @throws LimitError with SCZ_ERR_LIMIT_NAME
   */
  channelName(name: string): void {
    const most = this.#limits.maxChannelNameBytes || MAX_NAME_BYTES
    const isRight =
      name !== '' && name.isWellFormed() && !CONTROL.test(name) && Buffer.byteLength(name) <= most
    if (!isRight) throw new LimitError('SCZ_ERR_LIMIT_NAME', [most], null, false)
  }
}

/** Requests answered one by one are dearer than messages, and few clients have reason for more. */
const REQUESTS_PER_SECOND = 100
/** As much as any channel may have. */
const MAX_NAME_BYTES = 1024
const CONTROL = /\p{Cc}/u

class Meter {
  readonly #rate: Rate
  readonly #code: ErrorCode
  #bucket: TokenBucket | null = null
  #refused = 0

  static for(rate: Rate | null, code: ErrorCode): Meter | null {
    return rate === null ? null : new Meter(rate, code)
  }

  constructor(rate: Rate, code: ErrorCode) {
    this.#rate = rate
    this.#code = code
  }

  count(now: number): void {
    const bucket = (this.#bucket ??= new TokenBucket(this.#rate, now))
    if (bucket.isFull(now)) this.#refused = 0
    const wait = bucket.take(now)
    if (wait === 0) return
    this.#refused++
    const { perSecond, burst } = this.#rate
    throw new LimitError(this.#code, [perSecond], wait / 1000, this.#refused >= burst)
  }
}
