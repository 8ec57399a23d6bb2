import { performance } from 'node:perf_hooks'
import type { Writable } from 'node:stream'
import { FrameChain } from './frame-chain.ts'
import type { Since } from './since.ts'

const NOTHING = Buffer.alloc(0)

/**
 * Everything a connection sends goes through its outbox: what is put in during one turn of the loop leaves in one write.
 * Once the socket can't be written to any more, what is put in is dropped.
 */
export class Outbox {
  readonly #socket: Writable
  #chain: FrameChain | null
  /** Whether it is in the list of those that are flushed at the end of this turn. */
  #isListed: boolean
  #stalledSince: number | null
  /** How many bytes may be in the socket's buffer before it counts as stalled. */
  readonly #slack: number
  /** Called once it is no longer stalled. */
  onDrain: (() => void) | null
  /** Told where the client stands in a channel once it has what is sent next; see `Outbox` in subscriptions.ts. */
  onPlace: ((channel: string, place: Since) => void) | null

  /** @param socket a TCP or TLS socket, or a stream of HTTP/2; nobody else may write to it half a frame at a time */
  constructor(socket: Writable) {
    this.#socket = socket
    this.#chain = null
    this.#isListed = false
    this.#stalledSince = null
    this.#slack = 'encrypted' in socket || 'session' in socket ? TLS_SLACK : 0
    this.onDrain = null
    this.onPlace = null
  }

  /** Bytes that the client has not taken: in here and in the socket's buffer. */
  get bufferedBytes(): number {
    return (this.#chain === null ? 0 : this.#chain.bytes) + this.#socket.writableLength
  }

  /** Whether the socket has bytes that the kernel did not take: fan-out holds its frames back until `onDrain`. */
  get isStalled(): boolean {
    return this.#stalledSince !== null
  }

  /** When it became stalled, by `performance.now()` in milliseconds, or null. */
  get stalledSince(): number | null {
    return this.#stalledSince
  }

  /** Puts a whole frame into the write of this turn. The frame must not be changed any more: it is not copied. */
  send(frame: Buffer): void {
    if (this.#chain === null) {
      this.#chain = firstOf(frame)
      if (!this.#isListed) {
        this.#isListed = true
        list(this)
      }
    } else {
      this.#chain = this.#chain.followedBy(frame)
    }
  }

  /** Writes at once what this turn has so far. */
  flush(): void {
    const chain = this.#chain
    if (chain === null) return
    this.#chain = null
    const socket = this.#socket
    if (!this.isWritable()) return
    if (chain.bytes <= JOINED_UP_TO || chain.count === 1) socket.write(chain.join())
    else writeTogether(socket, chain.frames())
    if (socket.writableLength > this.#slack && this.#stalledSince === null) this.#beginStall()
  }

  /** The end of the turn. */
  flushListed(): void {
    this.#isListed = false
    this.flush()
  }

  /** Whether a frame may be written now. */
  protected isWritable(): boolean {
    return this.#socket.writable
  }

  #beginStall(): void {
    this.#stalledSince = performance.now()
    this.#awaitDrain()
  }

  /** The socket's own 'drain' comes only when much was buffered, so a mark goes behind what is there. */
  #awaitDrain(): void {
    this.#socket.write(NOTHING, (error) => {
      if (error !== null && error !== undefined) return
      if (this.#socket.writableLength > this.#slack) return this.#awaitDrain()
      this.#stalledSince = null
      this.onDrain?.()
    })
  }
}

/** A TLS socket, or a stream of HTTP/2, reports every write as done only in the next turn, even if the kernel took all of it at once. */
const TLS_SLACK = 65_536

/**
 * Above this, copying frames into one buffer costs more than handing the kernel a list of them. Measured on Node 26,
 * 2026-11-21, write included: 4 frames of 142 bytes 6.2 µs joined and 7.4 µs in a list, 16 of 1,000 bytes about 15 both
 * ways, 64 of 1,000 bytes 50 and 20. Bytes that are joined for many connections cost each of them nothing.
 */
const JOINED_UP_TO = 16_384

function writeTogether(socket: Writable, frames: readonly Buffer[]): void {
  socket.cork()
  for (const frame of frames) socket.write(frame)
  socket.uncork()
}

// One list and one immediate for all outboxes of the thread. The immediate comes when the loop has read what has arrived on
// all its sockets, so an answer to any of them is in the same write. A microtask would come after every read, and saves
// nothing: an echo to 64 connections takes 10.6 to 12.2 µs of CPU with it and without (Node 26, 2026-11-21). For a frame
// that many outboxes share, list and chain take 0.05 µs for each, for 16 such frames 0.3 µs.
let listed: Outbox[] = []
let isScheduled = false
let first: FrameChain | null = null

function firstOf(frame: Buffer): FrameChain {
  if (first === null || first.frame !== frame) first = new FrameChain(frame, null)
  return first
}

function list(outbox: Outbox): void {
  listed.push(outbox)
  if (isScheduled) return
  isScheduled = true
  setImmediate(flushAll)
}

function flushAll(): void {
  const outboxes = listed
  listed = []
  isScheduled = false
  first = null
  for (const outbox of outboxes) outbox.flushListed()
}
