import { WebSocket } from 'ws'
import { Follower } from './follower.ts'
import type { Level, Since } from './follower.ts'
import type { Attempt, Ledger } from './ledger.ts'
import { historySizeOf } from './plan.ts'
import type { Policy } from './plan.ts'
import { nothingCounted } from './happened.ts'
import type { Counts } from './happened.ts'
import { numberIn, readTold } from './told.ts'
import type { Kept, Told } from './told.ts'
import { Transcript } from './transcript.ts'

/** What a connection is given. */
export interface ConnectionOptions {
  readonly name: string
  readonly user: string
  readonly world: number
  /** Those that it may be told of. */
  readonly channels: readonly string[]
  readonly policy: Policy
  readonly isCompressed: boolean
  readonly epoch: string
  readonly ledger: Ledger
  readonly fault: (text: string) => void
  /** Whether the connection may be lost without a word. */
  readonly mayBeLost: (connection: Connection) => boolean
}

interface Request {
  readonly action: string
  readonly channel: string
  readonly since: Since | null
  /** Of a publish. */
  readonly attempt: Attempt | null
}

/** One connection of a client that was written from docs/PROTOCOL.md, and checks what it is told. */
export class Connection {
  readonly name: string
  readonly policy: Policy
  readonly transcript: Transcript = new Transcript()
  readonly counts: Counts = nothingCounted()
  /** Where it is in each channel. */
  readonly places: Map<string, Since> = new Map()
  /** The thread of its worker; 0 before it has said so. */
  thread = 0
  isPaused = false
  wasPaused = false
  isDropped = false
  end: { readonly code: number; readonly reason: string } | null = null
  readonly #socket: WebSocket
  readonly #epoch: string
  readonly #ledger: Ledger
  readonly #fault: (text: string) => void
  readonly #mayBeLost: (connection: Connection) => boolean
  readonly #followers: ReadonlyMap<string, Follower>
  readonly #requests = new Map<number, Request>()
  #lastId = 0
  #isGreeted = false
  #hasDrained = false

  constructor(address: string, options: ConnectionOptions) {
    const { name, user, world, channels, policy, isCompressed, epoch, ledger, fault, mayBeLost } = options
    this.name = name
    this.#mayBeLost = mayBeLost
    this.policy = policy
    this.#epoch = epoch
    this.#ledger = ledger
    this.#fault = (text) => fault(`${name}: ${text}`)
    this.#followers = new Map(
      channels.map((channel) => [
        channel,
        new Follower(channel, policy, historySizeOf(channel), epoch, ledger, this.#fault)
      ])
    )
    this.#socket = new WebSocket(`${address.replace(/^http/, 'ws')}/${policy}`, ['scherzo.v1'], {
      headers: { 'x-user': user, 'x-world': String(world) },
      perMessageDeflate: isCompressed
    })
    this.#socket.on('error', () => {})
    this.#socket.on('message', (data: Buffer, isBinary) => {
      const told = readTold(data, isBinary)
      this.transcript.told(told)
      this.#take(told)
    })
    this.#socket.once('close', (code, reason) => this.#onClose(code, String(reason)))
  }

  /** Whether the server knows it, and it may ask. */
  get isOpen(): boolean {
    return this.#isGreeted && this.thread !== 0 && this.end === null
  }

  get isOver(): boolean {
    return this.end !== null
  }

  /** Whether requests wait for an answer. */
  get isWaiting(): boolean {
    return this.#requests.size > 0 || [...this.#followers.values()].some(({ isWaiting }) => isWaiting)
  }

  isWaitingFor(channel: string): boolean {
    return this.#followers.get(channel)!.isWaiting
  }

  has(channel: string): boolean {
    return this.#followers.get(channel)!.isWanted
  }

  hasReached(channel: string, offset: number): boolean {
    return this.#followers.get(channel)!.hasReached(offset)
  }

  subscribe(channel: string, since: Since | null): void {
    this.#followers.get(channel)!.ask(this.#lastId + 1, since)
    this.#request('subscribe', channel, { since }, null)
  }

  unsubscribe(channel: string): void {
    this.#followers.get(channel)!.askToEnd()
    this.#request('unsubscribe', channel, {}, null)
  }

  publish(channel: string, key: string | null, pad: number): void {
    const attempt = this.#ledger.attempt(this.name, channel)
    this.#followers.get(channel)!.publish(attempt)
    const data = { n: attempt.n, pad: 'x'.repeat(pad) }
    this.#request('publish', channel, { data, ...(key !== null && { key }) }, attempt)
  }

  history(channel: string, since: Since | null): void {
    this.#request('history', channel, { since }, null)
  }

  pause(): void {
    this.isPaused = true
    this.wasPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.isPaused = false
    this.#socket.resume()
  }

  /** @param isClean with a close frame */
  drop(isClean: boolean): void {
    this.isDropped = true
    if (isClean && !this.isPaused) this.#socket.close(1000)
    else this.#socket.terminate()
  }

  /** When everything has come that will. */
  finish(): void {
    if (this.isOver) return
    for (const [id, { action }] of this.#requests) this.#fault(`${action} ${id} has no answer`)
    for (const follower of this.#followers.values()) follower.finish()
  }

  #request(
    action: string,
    channel: string,
    fields: { readonly since?: Since | null; readonly [name: string]: unknown },
    attempt: Attempt | null
  ): void {
    const id = ++this.#lastId
    this.#requests.set(id, { action, channel, since: fields.since ?? null, attempt })
    const request = { id, action, channel, ...fields }
    this.transcript.sent(request)
    this.#socket.send(JSON.stringify(request))
  }

  #take(told: Told): void {
    if (told.thread !== undefined) this.thread = told.thread
    else if (told.connected !== undefined) this.#greet(told.connected.channels)
    else if (told.id !== undefined) this.#takeAnswer(told.id, told)
    else if (told.drain !== undefined) this.#hasDrained = true
    else if (told.channel !== undefined) this.#takeNotice(told.channel, told)
    else this.#fault(`told ${JSON.stringify(told)}`)
  }

  #greet(channels: readonly string[]): void {
    if (this.#isGreeted) this.#fault('greeted twice')
    this.#isGreeted = true
    for (const channel of channels) this.#followers.get(channel)!.ask(null, null)
  }

  #takeNotice(channel: string, told: Told): void {
    const { offset, data, epoch, error, subscribed, lost, skipped, unsubscribed } = told
    const follower = this.#followers.get(channel)!
    if (!this.#isGreeted) this.#fault('told of a channel before it was greeted')
    if (subscribed !== undefined) {
      follower.begin(subscribed)
      const { since } = follower
      // With a place of the same epoch, what counts is the message.
      this.places.set(channel, since?.epoch === subscribed.epoch ? since : subscribed)
    } else if (lost !== undefined) {
      this.counts.lost++
      follower.lose(lost, epoch ?? null, typeof error === 'string' ? error : null)
      this.places.set(channel, { epoch: epoch ?? this.#epoch, offset: lost.to })
    } else if (skipped !== undefined) {
      this.counts.skipped++
      follower.skip(skipped)
    } else if (unsubscribed !== undefined) {
      this.counts.withdrawn++
      follower.withdrawn()
    } else {
      this.counts.messages++
      this.#ledger.witness(channel, offset!, data!.n, this.name)
      follower.message(offset!)
      this.places.set(channel, { epoch: this.#epoch, offset: offset! })
    }
  }

  #takeAnswer(id: number, { ok, error }: Told): void {
    const request = this.#requests.get(id)
    if (request === undefined) return this.#fault(`an answer to ${id}, which nobody waits for`)
    this.#requests.delete(id)
    const { action, channel, since, attempt } = request
    const follower = this.#followers.get(channel)!
    const code = typeof error === 'object' ? error.code : null
    if (code !== null) {
      if (action === 'subscribe' && code === 'SCZ_ERR_PROTOCOL_CALLED_OFF') return follower.calledOff(id)
      if (attempt !== null && code === 'SCZ_ERR_BUS_OVERLOAD') attempt.outcome = 'refused'
      else if (attempt === null || code !== 'SCZ_ERR_BUS_CLOSED') this.#fault(`${action} ${id}: ${code}`)
    } else if (action === 'subscribe') follower.level(id, ok as Level)
    else if (action === 'unsubscribe') follower.ended()
    else if (attempt !== null) {
      if (ok!.epoch !== this.#epoch) this.#fault(`published in the epoch ${ok!.epoch}`)
      this.#ledger.acknowledge(attempt, ok!.offset)
    } else this.#checkHistory(channel, since, ok!.offset, ok!.messages!)
  }

  #checkHistory(channel: string, since: Since | null, offset: number, messages: readonly Kept[]): void {
    messages.forEach(({ data, base64, offset }, index) => {
      const n = base64 === undefined ? data!.n : numberIn(Buffer.from(base64, 'base64'))
      this.#ledger.witness(channel, offset, n, `the history of ${this.name}`)
      if (offset !== messages[0]!.offset + index)
        this.#fault(`${offset} in the history of ${channel} leaves a hole`)
    })
    const last = messages.at(-1)?.offset ?? 0
    if (last > offset) this.#fault(`the history of ${channel} ends at ${last}, beyond ${offset}`)
    const first = messages[0]?.offset ?? offset + 1
    const oldest = this.#ledger.attempted(channel) - historySizeOf(channel) + 1
    if (since === null || first === since.offset + 1) return
    if (first <= since.offset || first > Math.max(oldest, since.offset + 1))
      this.#fault(`the history of ${channel} begins at ${first} for ${since.offset}`)
  }

  #onClose(code: number, reason: string): void {
    this.end = { code, reason }
    this.transcript.ended(code, reason)
    const isSlow = code === 1008 && this.policy === 'close' && reason.includes('too slowly')
    if (isSlow) this.counts.slowEnds++
    const isDrained = code === 1001 && this.#hasDrained
    if (!isSlow && !isDrained && !this.#mayBeLost(this)) this.#fault(`closed with ${code} ${reason}`)
  }
}
