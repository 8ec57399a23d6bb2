import { performance } from 'node:perf_hooks'
import { ScherzoError } from '../../core/errors.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import type { Rate } from '../../core/token-bucket.ts'

/** How much each caller of a route has published lately. */
export class CallerRates {
  readonly #rate: Rate
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** @throws SCZ_ERR_HTTP_RATE */
  count(caller: string): void {
    const now = performance.now()
    const wait = this.#bucketOf(caller, now).take(now)
    if (wait > 0) throw new ScherzoError('SCZ_ERR_HTTP_RATE', [this.#rate.perSecond, Math.ceil(wait / 1000)])
  }

  #bucketOf(caller: string, now: number): TokenBucket {
    const known = this.#buckets.get(caller)
    if (known !== undefined) return known
    if (this.#buckets.size >= MAX_CALLERS) this.#forget(now)
    const bucket = new TokenBucket(this.#rate, now)
    this.#buckets.set(caller, bucket)
    return bucket
  }

  /** Those that have been quiet are as good as new. If none has, all are forgotten: memory is bounded. */
  #forget(now: number): void {
    for (const [caller, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(caller)
    if (this.#buckets.size >= MAX_CALLERS) this.#buckets.clear()
  }
}

const MAX_CALLERS = 10_000
