import type { Socket } from 'node:net'
import type { Clock } from '../core/http/clock.ts'
import type { Answer } from '../routes/answer.ts'
import { WireRequest } from '../routes/fast-request.ts'
import type { ReadingMemo } from '../routes/memo.ts'
import { readCalls } from '../routes/reading.ts'
import type { FastCall, Reading } from '../routes/reading.ts'
import type { FastTable } from '../routes/table.ts'
import type { LaneState } from './lane-state.ts'
import type { LatencySampler } from './latency-sampler.ts'

/** What the connections of one worker share. */
export interface LaneContext {
  readonly table: FastTable
  readonly memo: ReadingMemo
  readonly clock: Clock
  /** Lets the main lane go on with a connection, from `unread` on. */
  handOver(connection: Connection, unread: Buffer): void
  /** The same when the client has ended its side in the middle of a request. */
  handOverEnded(connection: Connection, unread: Buffer): void
  /** Forgets a connection that is closed. */
  release(connection: Connection): void
  /** Tells the main lane what a handler threw for the request that comes next on this socket. */
  reportFault(socket: Socket, error: unknown): void
  readonly state: LaneState
  readonly latency: LatencySampler
}

/** Answers are collected up to this many characters before they are written, so that a client's pace is respected. */
const WRITE_AT = 65_536

interface HeldBack {
  readonly chunk: Buffer
  readonly reading: Reading
  readonly index: number
}

/** One connection while the fast lane has it. */
export class Connection {
  readonly socket: Socket
  readonly #lane: LaneContext
  /** The beginning of a request that is not whole yet. */
  unread: Buffer | null
  /** Calls that wait until the client has read the answers before them. */
  #heldBack: HeldBack | null
  /** When the wait for the next whole request began, by the lane's clock. */
  waitingSince: number
  /** When something last arrived, by the lane's clock. */
  activeAt: number
  /** Requests that it has had answers to: after the first it may idle for as long as a kept-alive connection may. */
  requests: number
  #closing: boolean

  constructor(socket: Socket, lane: LaneContext) {
    this.socket = socket
    this.#lane = lane
    this.unread = null
    this.#heldBack = null
    this.waitingSince = lane.clock.now
    this.activeAt = lane.clock.now
    this.requests = 0
    this.#closing = false
  }

  /** Whether it waits for a request, and not for its client to read. */
  get isWaiting(): boolean {
    return this.#heldBack === null && !this.#closing
  }

  receive(chunk: Buffer): void {
    if (this.#closing) return
    this.activeAt = this.#lane.clock.now
    if (this.unread !== null) {
      const whole = Buffer.concat([this.unread, chunk])
      this.#answerFrom(whole, readCalls(whole, this.#lane.table), 0)
      return
    }
    const { memo, table } = this.#lane
    let reading = memo.find(chunk)
    if (reading === null) {
      reading = readCalls(chunk, table)
      memo.offer(chunk, reading)
    }
    this.#answerFrom(chunk, reading, 0)
  }

  /** The client has ended its side. */
  receiveEnd(): void {
    if (this.unread === null) this.socket.end()
    else this.#lane.handOverEnded(this, this.unread)
  }

  release(): void {
    this.#lane.release(this)
  }

  /** Goes on with what was held back: the client has read. */
  resume(): void {
    const heldBack = this.#heldBack
    if (heldBack === null) return
    this.#heldBack = null
    this.socket.setTimeout(0)
    this.socket.resume()
    this.#answerFrom(heldBack.chunk, heldBack.reading, heldBack.index)
  }

  /** Answers the calls from `index` on, all in one write unless they are many or long. */
  #answerFrom(chunk: Buffer, reading: Reading, index: number): void {
    const { calls } = reading
    const { clock, latency } = this.#lane
    const begun = latency.begin()
    const last = this.#lastCall(reading, index)
    const end = last < 0 ? calls.length : last + 1
    let text = ''
    let status = 0
    let answered = 0
    for (; index < end; index++) {
      const call = calls[index]!
      let answer: Answer
      try {
        answer = call.answer ?? answerTo(call, chunk)
      } catch (error) {
        if (text !== '') this.socket.write(text, 'latin1')
        this.#count(answered, status, begun)
        this.#lane.reportFault(this.socket, error)
        this.#lane.handOver(this, chunk.subarray(call.start))
        return
      }
      if (answer.head.status !== status) {
        this.#count(answered, status, begun)
        status = answer.head.status
        answered = 0
      }
      answered++
      text += answer.start + (index === last ? clock.closingTail : clock.tail)
      if (call.method !== 'HEAD') {
        if (answer.text !== null) text += answer.text
        else text = this.#writeLong(text, answer.bytes!)
      }
      if (text.length >= WRITE_AT) text = this.#write(text)
      if (text === '' && this.#isStalled()) {
        this.#count(answered, status, begun)
        return this.#holdBack({ chunk, reading, index: index + 1 })
      }
    }
    if (text !== '') this.#write(text)
    this.#count(answered, status, begun)
    if (this.#isStalled()) this.#holdBack({ chunk, reading, index })
    else this.#settle(chunk, reading, last >= 0)
  }

  /**
   * The call that is the connection's last, or -1: the one that asks for it, the last that the limit allows, or any behind
   * which the client waits when the worker drains.
   */
  #lastCall({ calls, next }: Reading, index: number): number {
    const { limits, isDraining } = this.#lane.state
    const last = next === 'close' || (isDraining && next === 'idle') ? calls.length - 1 : -1
    if (limits.maxRequests === 0) return last
    const allowed = index + limits.maxRequests - this.requests - 1
    return allowed < calls.length && (last < 0 || allowed < last) ? allowed : last
  }

  #count(answered: number, status: number, begun: number): void {
    if (answered === 0) return
    this.requests += answered
    this.#lane.state.stats.countStatus('fast', status, answered)
    this.#lane.latency.end(begun, answered)
  }

  /** Gives what is left to write: nothing. */
  #write(text: string): '' {
    this.socket.write(text, 'latin1')
    return ''
  }

  #writeLong(text: string, bytes: Buffer): '' {
    this.socket.cork()
    this.socket.write(text, 'latin1')
    this.socket.write(bytes)
    this.socket.uncork()
    return ''
  }

  /** A full buffer that the kernel took at once is none. */
  #isStalled(): boolean {
    return this.socket.writableNeedDrain && this.socket.writableLength > 0
  }

  #holdBack(calls: HeldBack): void {
    this.#heldBack = calls
    this.socket.pause()
    // Node looks at the progress of the write itself before it reports a time-out, and keeps one timer for all sockets
    // of the same limit.
    this.socket.setTimeout(this.#lane.state.limits.sendTimeout)
  }

  #settle(chunk: Buffer, { calls, consumed, next }: Reading, isOver: boolean): void {
    if (isOver) {
      this.#closing = true
      this.unread = null
      this.socket.setTimeout(this.#lane.state.limits.sendTimeout)
      this.socket.destroySoon()
      return
    }
    if (next === 'main') {
      this.#lane.handOver(this, chunk.subarray(consumed))
      return
    }
    // A request that goes on arriving keeps the time it began at, so that it can't be drawn out.
    if (calls.length > 0 || this.unread === null) this.waitingSince = this.#lane.clock.now
    this.unread = next === 'partial' ? chunk.subarray(consumed) : null
  }
}

function answerTo(call: FastCall, chunk: Buffer): Answer {
  const answer = call.route.answer(new WireRequest(chunk, call))
  if (call.route.isStatic) call.answer = answer
  return answer
}
