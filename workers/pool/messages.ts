import type { MessagePort } from 'node:worker_threads'
import type { ErrorCode } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'

/** What the threads of a pool are started with. */
export interface PoolTask {
  /** The number of the worker that they belong to. */
  readonly worker: number
  readonly app: string
  readonly settings: Settings
  /** The memory of the pool's {@link ThreadCells}. */
  readonly cells: SharedArrayBuffer
}

/** A request on its way to a pool thread: a Piscina task. */
export interface Job {
  /** Counts up within one thread. */
  readonly id: number
  readonly method: string
  readonly url: string
  readonly httpVersion: string
  readonly rawHeaders: readonly string[]
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Null: none, as nearly always. */
  readonly trailers: Trailers | null
  readonly body: Uint8Array | null
  /** Whether the client may use the connection again. */
  readonly keepAlive: boolean
  readonly peer: Peer
}

export interface Trailers {
  readonly raw: readonly string[]
  readonly values: Readonly<Record<string, string | undefined>>
}

/** Both ends of the client's connection, as the worker's socket tells them. */
export interface Peer {
  readonly remoteAddress: string | undefined
  readonly remoteFamily: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly encrypted: boolean
}

/** A header's value in a form that Node writes as it would write the app's. */
export type HeaderValue = string | string[]

/** What `writeHead` was given, in the form it was given. */
export type GivenHeaders = Readonly<Record<string, HeaderValue>> | readonly (HeaderValue | HeaderValue[])[]

/** The head of a response as the app made it; Node makes the wire's out of it in the worker. */
export interface ResponseHead {
  readonly status: number
  readonly statusMessage: string
  /** Set one by one before: names and values in turn. */
  readonly set: readonly HeaderValue[]
  readonly given: GivenHeaders | null
  /** Whether `end()` wrote it: only then Node adds a Content-Length of its own. */
  readonly isByEnd: boolean
  readonly sendDate: boolean
  /** Whether the app ends the connection by `shouldKeepAlive`. */
  readonly isLast: boolean
}

export type Body = string | Uint8Array<ArrayBuffer>

/** An end of a response. */
export interface Tail {
  readonly body: Body | null
  /** Null: none. */
  readonly trailers: GivenHeaders | null
}

/** What a job resolves to. */
export interface Result {
  /** For how long it kept the loop of its thread from turning, in milliseconds. */
  readonly cost: number
  /** Null: the response went over the thread's port. */
  readonly whole: { readonly head: ResponseHead; readonly tail: Tail } | null
}

/** From a pool thread, once each: the port is for all that is not a task or its result. */
export type Arrival =
  | {
      readonly type: 'arrived'
      readonly index: number
      readonly threadId: number
      readonly port: MessagePort
    }
  | {
      readonly type: 'failed'
      readonly code: ErrorCode
      readonly values: readonly (string | number)[]
    }
  /** Before it loads the app: it wants to join the hub, and the link comes through the port. */
  | { readonly type: 'link'; readonly port: MessagePort }

/** From a pool thread, over its port. */
export type ThreadMessage =
  | { readonly type: 'information'; readonly id: number; readonly status: number; readonly lines: string[] }
  /** A whole response that has to stay behind an information. */
  | { readonly type: 'whole'; readonly id: number; readonly head: ResponseHead; readonly tail: Tail }
  | { readonly type: 'head'; readonly id: number; readonly head: ResponseHead; readonly body: Body | null }
  | { readonly type: 'data'; readonly id: number; readonly body: Body }
  | { readonly type: 'end'; readonly id: number; readonly tail: Tail }
  /** The app gave the connection up. */
  | { readonly type: 'cut'; readonly id: number }
  | { readonly type: 'closed'; readonly reason: string | null }

/** To a pool thread, over its port. */
export type PoolOrder =
  /** The client is gone. */
  | { readonly type: 'abort'; readonly id: number }
  /** So much of what was streamed has found room on its way to the client. */
  | { readonly type: 'taken'; readonly id: number; readonly bytes: number }
  | { readonly type: 'close' }

/** Threads that there may be at one time: those of a pool, and those of the one that takes its place. */
/** Eight for the heap, four each for the other cells, and four to keep the places aligned. */
const BYTES_PER_PLACE = 24

const PLACES_PER_THREAD = 4

/** What the threads of a pool tell without a message. */
export class ThreadCells {
  readonly buffer: SharedArrayBuffer
  readonly #taken: Int32Array
  readonly #begun: Int32Array
  readonly #heap: Float64Array
  readonly #beats: Int32Array

  constructor(memory: SharedArrayBuffer | number) {
    this.buffer =
      typeof memory === 'number'
        ? new SharedArrayBuffer(memory * PLACES_PER_THREAD * BYTES_PER_PLACE)
        : memory
    const places = this.buffer.byteLength / BYTES_PER_PLACE
    this.#heap = new Float64Array(this.buffer, 0, places)
    this.#taken = new Int32Array(this.buffer, places * 8, places)
    this.#begun = new Int32Array(this.buffer, places * 12, places)
    this.#beats = new Int32Array(this.buffer, places * 16, places)
  }

  /** In a thread: takes the first free place. */
  claim(): number {
    for (let index = 0; index < this.#taken.length; index++) {
      if (Atomics.compareExchange(this.#taken, index, 0, 1) === 0) return index
    }
    throw new Error('There is no place for another thread of the pool')
  }

  release(index: number): void {
    this.#heap[index] = 0
    Atomics.store(this.#begun, index, 0)
    Atomics.store(this.#taken, index, 0)
  }

  /** In a thread: tells that its loop turns. */
  beat(index: number): void {
    Atomics.add(this.#beats, index, 1)
  }

  /** How often the loop of the thread was seen to turn. */
  beats(index: number): number {
    return Atomics.load(this.#beats, index)
  }

  countBegun(index: number): void {
    Atomics.add(this.#begun, index, 1)
  }

  /** How many jobs the thread has begun. */
  begun(index: number): number {
    return Atomics.load(this.#begun, index)
  }

  setHeapUsed(index: number, bytes: number): void {
    this.#heap[index] = bytes
  }

  get heapUsed(): number {
    return this.#heap.reduce((sum, bytes) => sum + bytes, 0)
  }
}
