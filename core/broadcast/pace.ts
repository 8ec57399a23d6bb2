/**
 * When a batch is closed: by so many messages, or so long after its first one. Who has the same pace has the same object, so
 * that it can stand for the batches that they share.
 */
export interface Pace {
  /** Most messages in a batch. */
  readonly size: number
  /** In milliseconds. */
  readonly timeout: number
  /** Whether `timeout` is only what a busy loop may take: an idle one does not wait at all. */
  readonly isAdaptive: boolean
}

export function paceOf(size: number, timeout: number, isAdaptive: boolean): Pace {
  const key = `${size} ${timeout} ${isAdaptive}`
  let pace = known.get(key)
  if (pace === undefined) known.set(key, (pace = Object.freeze({ size, timeout, isAdaptive })))
  return pace
}

/**
 * How long a batch waits for more, in milliseconds.
 *
 * An adaptive one waits for nothing while the loop is busy for less than half of the time: what came in the same turn
 * is in it anyway. From there on the wait grows with the load. Each fan-out costs a write per subscriber whatever it
 * carries, so a longer wait means fewer of them, a lower load and then a shorter wait: it settles where the two meet.
 *
 * @param utilisation how busy the loop is, from 0 to 1
 */
export function waitOf({ timeout, isAdaptive }: Pace, utilisation: number): number {
  if (!isAdaptive) return timeout
  const share = (utilisation - IDLE_BELOW) / (BUSY_FROM - IDLE_BELOW)
  return timeout * Math.min(1, Math.max(0, share))
}

const IDLE_BELOW = 0.5
const BUSY_FROM = 0.9

const known = new Map<string, Pace>()
