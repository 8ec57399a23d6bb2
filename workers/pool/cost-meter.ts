import { performance } from 'node:perf_hooks'

/** Something whose share of the loop is measured. */
export interface Metered {
  /** In milliseconds. */
  cost: number
}

/**
 * Tells for how long each of several requests kept the loop of this thread from turning. Time belongs to the request that
 * has just begun until the loop turns, and later to the one that ends next: a handler that computes after it has waited for
 * something usually answers then. Waiting costs nothing.
 */
export class CostMeter {
  #mark: number = activeTime()
  #current: Metered | null = null
  #isTurnDue = false
  readonly #turn = (): void => {
    this.#isTurnDue = false
    this.#charge(this.#current)
    this.#current = null
  }

  begin(request: Metered): void {
    this.#charge(this.#current)
    this.#current = request
    if (this.#isTurnDue) return
    this.#isTurnDue = true
    setImmediate(this.#turn)
  }

  end(request: Metered): void {
    this.#charge(request)
  }

  #charge(request: Metered | null): void {
    const now = activeTime()
    if (request !== null) request.cost += now - this.#mark
    this.#mark = now
  }
}

function activeTime(): number {
  return performance.eventLoopUtilization().active
}
