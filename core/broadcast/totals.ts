import { Histogram } from './histogram.ts'

/** In messages. */
export const BATCH_BOUNDS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/** In seconds. The log has the time of publishing in milliseconds, so finer ones would say nothing. */
export const LAG_BOUNDS: readonly number[] = [
  0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
]

/** What was handed to sockets. */
export class Traffic {
  delivered = 0
  /** Dropped for slow members who have been told. */
  skipped = 0
  /** Of frames, as they go over the wire. */
  bytes = 0
  /** Of what compression was tried on, once for all who share it. */
  bytesBefore = 0
  /** Of the same afterwards: what did not get smaller counts as it was. */
  bytesAfter = 0

  compress(before: number, after: number): void {
    this.bytesBefore += before
    this.bytesAfter += after
  }
}

/**
 * What the members of a thread's hub have got. Every message that is read counts as owed once for each subscriber, and then
 * is in exactly one other place: owed = delivered + skipped + abandoned + held back + still to be fanned out.
 */
export class Totals extends Traffic {
  owed = 0
  /** Owed to members that left. */
  abandoned = 0
  /** Held back for stalled members, or dropped and not told yet. */
  held = 0
  heldBytes = 0
  /** How many members the policy has closed. */
  slowClosed = 0
  members = 0
  /** Without those for what is broadcast, that every member has. */
  subscriptions = 0
  /** How often offsets of a channel did not follow each other. It would be a fault of the log. */
  holes = 0
  published = 0
  /** Messages in each batch that was made, once for all who share it. */
  readonly batchSizes: Histogram = new Histogram(BATCH_BOUNDS)
  /** Seconds from publishing to each hand-over to a subscriber. */
  readonly lags: Histogram = new Histogram(LAG_BOUNDS)
}
