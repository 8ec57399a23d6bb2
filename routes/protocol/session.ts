import { Queue } from '../../core/bus/queue.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { Endpoint } from '../websocket/endpoint.ts'
import type { Job } from './actions/action.ts'
import { readJob } from './actions/table.ts'
import { errorAnswer, isAnswered, okAnswer, toldError } from './answers.ts'
import type { Client } from './client.ts'
import { PHRASES, mayClient } from './permissions.ts'
import { readRequest } from './request.ts'
import type { Request } from './request.ts'

/** While so many requests of a client are under way, nothing is read from it, until half of them are answered. */
export const MAX_UNDER_WAY = 64

/** With so many messages that can't be read, the connection ends. */
export const MAX_UNREADABLE = 10

/**
 * What a client that speaks the protocol asks for. Requests take effect in the order in which they came, although the app may
 * take its time to allow some; answers come when they are there. A connection has one from its first request on.
 */
export class Session {
  readonly #client: Client
  readonly #endpoint: Endpoint
  /** Requests that have no answer yet. */
  #underWay: number
  #unreadable: number
  /** Those that wait to be allowed, and those behind them; null before the first that has to wait. */
  #turns: Queue<Turn> | null
  /** Whether so many are under way that nothing is read. */
  isHeldUp: boolean

  constructor(client: Client, endpoint: Endpoint) {
    this.#client = client
    this.#endpoint = endpoint
    this.#underWay = 0
    this.#unreadable = 0
    this.#turns = null
    this.isHeldUp = false
  }

  receive(data: Buffer, isBinary: boolean): void {
    let request: Request
    try {
      request = readRequest(data, isBinary)
    } catch (error) {
      return this.#refuse(toldError(error))
    }
    this.#underWay++
    if (this.#underWay >= MAX_UNDER_WAY) this.isHeldUp = true
    try {
      this.#take(request.id, readJob(request.fields))
    } catch (error) {
      this.#fail(request.id, error)
    }
  }

  /** The server ends the subscription to a channel: those that wait to be allowed do not begin. */
  callOff(channel: string): void {
    if (this.#turns === null) return
    for (const turn of this.#turns) {
      if (turn.job.asks?.action === 'subscribe' && turn.job.asks.channel === channel) turn.isCalledOff = true
    }
  }

  #take(id: number, job: Job): void {
    const allowed = this.#ask(job)
    const isNext = this.#turns === null || this.#turns.size === 0
    if (isNext && typeof allowed === 'boolean') return this.#run({ id, job, allowed, isCalledOff: false })
    const turn: Turn = { id, job, allowed, isCalledOff: false }
    this.#turns ??= new Queue()
    this.#turns.push(turn)
    if (typeof allowed !== 'boolean') void this.#settle(turn, allowed)
  }

  #ask({ asks }: Job): boolean | Promise<boolean> {
    if (asks === null) return true
    const { action, channel } = asks
    // What it has it may have, until the server takes it away.
    if (action === 'subscribe' && this.#client.has(channel)) return true
    return mayClient(this.#endpoint, this.#client.standing?.identity ?? null, action, channel)
  }

  async #settle(turn: Turn, allowed: Promise<boolean>): Promise<void> {
    try {
      turn.allowed = await allowed
    } catch (error) {
      turn.allowed = new Refusal(error)
    }
    const turns = this.#turns!
    for (let next = turns.first; next !== undefined && isSettled(next); next = turns.first) {
      turns.shift()
      this.#run(next)
    }
  }

  #run({ id, job, allowed, isCalledOff }: Turn): void {
    if (!this.#client.isOpen) return
    const { asks } = job
    if (allowed instanceof Refusal) return this.#fail(id, allowed.reason)
    if (asks !== null && isCalledOff)
      return this.#fail(id, new ScherzoError('SCZ_ERR_PROTOCOL_CALLED_OFF', [asks.channel]))
    if (asks !== null && allowed !== true)
      return this.#fail(
        id,
        new ScherzoError('SCZ_ERR_PROTOCOL_FORBIDDEN', [PHRASES[asks.action], asks.channel])
      )
    try {
      const result = job.run(this.#client, this.#endpoint.services.calls)
      if (result instanceof Promise) void this.#answerLater(id, result)
      else this.#answer(okAnswer(id, result))
    } catch (error) {
      this.#fail(id, error)
    }
  }

  async #answerLater(id: number, result: Promise<object>): Promise<void> {
    try {
      this.#answer(okAnswer(id, await result))
    } catch (error) {
      this.#fail(id, error)
    }
  }

  #fail(id: number, error: unknown): void {
    if (!isAnswered(error)) this.#endpoint.log.error({ err: error }, 'A request of a client failed')
    this.#answer(errorAnswer(id, toldError(error)))
  }

  #answer(text: string): void {
    this.#underWay--
    this.#client.send(text, false)
    if (!this.isHeldUp || this.#underWay > MAX_UNDER_WAY / 2) return
    this.isHeldUp = false
    this.#client.resumeReading()
  }

  #refuse(error: ScherzoError): void {
    this.#client.send(errorAnswer(null, error), false)
    this.#unreadable++
    if (this.#unreadable === MAX_UNREADABLE)
      this.#client.closeFor(new ScherzoError('SCZ_ERR_PROTOCOL_UNREADABLE', [MAX_UNREADABLE]))
  }
}

/** A request on its way to be carried out. */
interface Turn {
  readonly id: number
  readonly job: Job
  allowed: boolean | Promise<boolean> | Refusal
  isCalledOff: boolean
}

/** What went wrong where the app should have said what a client may do. */
class Refusal {
  readonly reason: unknown

  constructor(reason: unknown) {
    this.reason = reason
  }
}

function isSettled({ allowed }: Turn): boolean {
  return typeof allowed === 'boolean' || allowed instanceof Refusal
}
