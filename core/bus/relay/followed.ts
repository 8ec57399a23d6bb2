import type { Delivery } from '../broker.ts'

/** A channel that some thread of this instance wants. */
export class Followed {
  readonly channel: string
  readonly name: Buffer
  /** Stands for the channel in the log. */
  readonly number: number
  /** Of the last message that went to the log, or of where the channel was when it was subscribed to; '' before that is known. */
  epoch = ''
  offset = 0
  /** What came while its turn had not come: messages before it may be missing. */
  early: Delivery[] = []
  /** Settles when what may be missing has been looked for; null: nothing is. */
  filling: Promise<void> | null = null
  /** Whether deliveries were dropped, because the log did not take them. */
  isStale = false
  /** Nobody wants it any more. */
  isOver = false
  /** Settles when everything that is published from then on reaches the log. */
  ready: Promise<void> = Promise.resolve()

  constructor(channel: string, number: number) {
    this.channel = channel
    this.name = Buffer.from(channel)
    this.number = number
  }

  /** Keeps it for later. What is forgotten will be found missing then. */
  keep(delivery: Delivery): void {
    if (this.early.length === MAX_EARLY) this.early = []
    this.early.push(delivery)
  }

  /** The offset of the first message of this epoch that is kept for later and comes behind the last one; null: there is none. */
  nextEarly(among: readonly Delivery[]): number | null {
    let least: number | null = null
    for (const { epoch, offset } of [...among, ...this.early]) {
      if (epoch === this.epoch && offset > this.offset && (least === null || offset < least)) least = offset
    }
    return least
  }
}

const MAX_EARLY = 1000
