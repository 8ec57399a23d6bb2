import { performance } from 'node:perf_hooks'
import { Queue } from '../bus/queue.ts'
import { BATCH_BYTES } from './batches.ts'
import type { Channel } from './channel.ts'
import type { Group } from './group.ts'
import type { Message } from './message.ts'
import { waitOf } from './pace.ts'
import { Parcel } from './parcel.ts'
import type { Totals } from './totals.ts'

export interface FanOutOptions {
  /** How many members are served before the rest of the event loop has its turn. */
  readonly chunk: number
  readonly totals: Totals
  /** How busy the loop is, from 0 to 1. @param now by performance.now() */
  readonly load: (now: number) => number
  /** Called when so much is pending that no more should be read, and when it may go on. */
  readonly onFull: () => void
  readonly onRelief: () => void
}

/**
 * Hands messages to the members of their channels. The consecutive messages of a channel that are there when the turn of one
 * of its groups comes go out as one parcel. Groups take turns, and a turn of the event loop serves a chunk of members at most.
 * Without sockets, a delivery to one of 100 members takes 14 ns, its share of publishing and reading included (Node 26.10,
 * 2026-11).
 */
export class FanOut {
  readonly #options: FanOutOptions
  /** Told of a channel that has a group with nothing left to fan out. */
  readonly #onDone: (channel: Channel) => void
  readonly #ready = new Queue<Group>()
  /** Those whose batch waits for more. */
  readonly #waiting = new Set<Group>()
  #isScheduled = false
  #isFull = false
  #pendingBytes = 0
  readonly #turn = (): void => {
    this.#isScheduled = false
    this.run()
  }

  constructor(options: FanOutOptions, onDone: (channel: Channel) => void) {
    this.#options = options
    this.#onDone = onDone
  }

  /** How much of what has been read waits for members, in bytes of frames and some for each. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** When the oldest message that waits for members was read, by performance.now(), or null. */
  get oldest(): number | null {
    let oldest = Infinity
    for (const groups of [this.#ready, this.#waiting]) {
      for (const { parcel, pending } of groups) {
        const first = parcel?.messages[0] ?? pending.first
        if (first !== undefined) oldest = Math.min(oldest, first.readAt)
      }
    }
    return oldest === Infinity ? null : oldest
  }

  add(message: Message): void {
    const weight = weightOf(message)
    for (const group of message.channel.groups) {
      if (group.members.length === 0) continue
      group.pending.push(message)
      group.pendingBytes += weight
      this.#pendingBytes += weight
      if (!group.isQueued) this.#queue(group)
      else if (group.timer !== null && isBatchFull(group)) this.#endWait(group)
    }
    if (this.#isFull || this.#pendingBytes < FULL_BYTES) return
    this.#isFull = true
    for (const group of this.#waiting) this.#endWait(group)
    this.#options.onFull()
  }

  /** Serves a chunk of members at once, unless one has its turn soon anyway; the others in later turns of the loop. */
  run(): void {
    if (this.#isScheduled) return
    let budget = this.#options.chunk
    while (budget > 0) {
      const group = this.#ready.shift()
      if (group === undefined) return
      budget -= this.#serve(group, budget)
      if (group.parcel !== null) this.#ready.push(group)
      else if (group.pending.size > 0) this.#queue(group)
      else this.#end(group)
    }
    if (this.#ready.size === 0) return
    this.#isScheduled = true
    setImmediate(this.#turn)
  }

  #queue(group: Group): void {
    group.isQueued = true
    const wait = this.#waitFor(group)
    if (wait < LEAST_WAIT) {
      this.#ready.push(group)
      return
    }
    this.#waiting.add(group)
    const endWait = (): void => {
      this.#endWait(group)
      this.run()
    }
    group.timer = setTimeout(endWait, wait).unref()
  }

  /** In milliseconds. What the messages have waited for members before them counts. */
  #waitFor(group: Group): number {
    const { pace } = group.format
    if (pace === null || this.#isFull || isBatchFull(group)) return 0
    const now = performance.now()
    return group.pending.first!.readAt + waitOf(pace, this.#options.load(now)) - now
  }

  #endWait(group: Group): void {
    clearTimeout(group.timer!)
    group.timer = null
    this.#waiting.delete(group)
    this.#ready.push(group)
  }

  #end(group: Group): void {
    group.isQueued = false
    group.channel.forget(group)
    this.#onDone(group.channel)
  }

  /** @returns how many members were served */
  #serve(group: Group, budget: number): number {
    const { members } = group
    const parcel = (group.parcel ??= this.#pack(group))
    const { last } = parcel
    let cursor = Math.min(group.cursor, members.length - 1)
    let served = 0
    let given = 0
    for (; cursor >= 0 && served < budget; cursor = Math.min(cursor - 1, members.length - 1)) {
      const subscription = members[cursor]!
      const { next } = subscription
      served++
      if (next > last) continue
      given++
      subscription.next = last + 1
      subscription.subscriber.deliver(parcel, next)
    }
    group.cursor = cursor
    this.#observe(parcel, given)
    if (cursor < 0) {
      group.parcel = null
      this.#relieve(parcel)
    }
    return served
  }

  #pack(group: Group): Parcel {
    const { pending, format } = group
    const most = format.pace?.size ?? Infinity
    const messages: Message[] = []
    let bytes = 0
    for (let next = pending.first; next !== undefined; next = pending.first) {
      bytes += next.frame.length
      if (messages.length === most || (messages.length > 0 && bytes > BATCH_BYTES)) break
      messages.push(next)
      group.pendingBytes -= weightOf(next)
      pending.shift()
    }
    group.cursor = group.members.length - 1
    return new Parcel(messages, format)
  }

  #observe({ messages }: Parcel, members: number): void {
    const now = Date.now()
    const { lags } = this.#options.totals
    for (const { time } of messages) lags.observe(Math.max(0, now - time) / 1000, members)
  }

  #relieve({ messages }: Parcel): void {
    for (const message of messages) this.#pendingBytes -= weightOf(message)
    if (!this.#isFull || this.#pendingBytes > FULL_BYTES / 2) return
    this.#isFull = false
    this.#options.onRelief()
  }
}

/** So much may be pending before reading stops. */
const FULL_BYTES = 2 ** 20

/** What timers can tell apart, in milliseconds. */
const LEAST_WAIT = 1

/** As much as one write should carry, or one batch. */
function isBatchFull({ format, pending, pendingBytes }: Group): boolean {
  return pending.size >= (format.pace?.size ?? 1) || pendingBytes >= BATCH_BYTES
}

function weightOf({ frame }: Message): number {
  return frame.length + MESSAGE_OVERHEAD
}

/** What a message takes beside its frame, roughly. */
const MESSAGE_OVERHEAD = 128
