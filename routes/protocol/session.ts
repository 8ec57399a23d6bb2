import { Queue } from '../../core/bus/queue.ts'
import { ScherzoError } from '../../core/errors.ts'
import { Charges, LimitError } from '../websocket/charges.ts'
import type { Endpoint } from '../websocket/endpoint.ts'
import type { Job } from './actions/action.ts'
import { readJob } from './actions/table.ts'
import { errorAnswer, isAnswered, okAnswer, toldError } from './answers.ts'
import type { Client } from './client.ts'
import { PHRASES, firstRefused } from './permissions.ts'
import type { ClientAction } from './permissions.ts'
import { readRequest } from './request.ts'
import type { Fields, Request } from './request.ts'

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
  readonly #charges: Charges
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
    this.#charges = new Charges(endpoint.options.limits)
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
      this.#charge(request.fields)
      this.#take(request.id, readJob(request.fields))
    } catch (error) {
      this.#fail(request.id, error)
    }
  }

  /** The server ends the subscription to a channel: those that wait to be allowed do not begin. */
  callOff(channel: string): void {
    if (this.#turns === null) return
    for (const turn of this.#turns) {
      const { asks } = turn.job
      if (asks?.channel === channel && asks.actions.includes('subscribe')) turn.isCalledOff = true
    }
  }

  #charge({ action }: Fields): void {
    if (action === 'subscribe') this.#charges.subscription()
    else this.#charges.message()
  }

  #take(id: number, job: Job): void {
    const refused = this.#ask(job)
    const isNext = this.#turns === null || this.#turns.size === 0
    const turn: Turn = { id, job, refused, isCalledOff: false }
    if (isNext && isSettled(turn)) return this.#run(turn)
    this.#turns ??= new Queue()
    this.#turns.push(turn)
    if (refused instanceof Promise) void this.#settle(turn, refused)
  }

  #ask({ asks }: Job): Refused | Promise<Refused> {
    if (asks === null) return null
    const { channel } = asks
    this.#charges.channelName(channel)
    // What it has it may have, until the server takes it away.
    const actions = this.#client.has(channel)
      ? asks.actions.filter((action) => action !== 'subscribe')
      : asks.actions
    return firstRefused(this.#endpoint.permissions, this.#client.standing?.identity ?? null, actions, channel)
  }

  async #settle(turn: Turn, refused: Promise<Refused>): Promise<void> {
    try {
      turn.refused = await refused
    } catch (error) {
      turn.refused = new Failure(error)
    }
    const turns = this.#turns!
    for (let next = turns.first; next !== undefined && isSettled(next); next = turns.first) {
      turns.shift()
      this.#run(next)
    }
  }

  #run({ id, job, refused, isCalledOff }: SettledTurn): void {
    if (!this.#client.isOpen) return
    const { asks } = job
    if (refused instanceof Failure) return this.#fail(id, refused.reason)
    if (asks !== null && isCalledOff)
      return this.#fail(id, new ScherzoError('SCZ_ERR_PROTOCOL_CALLED_OFF', [asks.channel]))
    if (asks !== null && refused !== null)
      return this.#fail(id, new ScherzoError('SCZ_ERR_PROTOCOL_FORBIDDEN', [PHRASES[refused], asks.channel]))
    try {
      if (asks !== null) this.#checkRoom(asks)
      const result = job.run(this.#client, this.#endpoint.services.calls)
      if (result instanceof Promise) void this.#answerLater(id, result)
      else this.#answer(okAnswer(id, result))
    } catch (error) {
      this.#fail(id, error)
    }
  }

  /** @throws LimitError */
  #checkRoom({ actions, channel }: NonNullable<Job['asks']>): void {
    if (actions.includes('subscribe') && !this.#client.has(channel))
      this.#charges.channel(this.#client.channels)
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
    if (error instanceof LimitError && error.isLast) this.#client.closeFor(error)
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

/** What the client may not do, if anything. */
type Refused = ClientAction | null

/** A request on its way to be carried out. */
interface Turn {
  readonly id: number
  readonly job: Job
  refused: Refused | Promise<Refused> | Failure
  isCalledOff: boolean
}

interface SettledTurn extends Turn {
  refused: Refused | Failure
}

/** What went wrong where the app should have said what a client may do. */
class Failure {
  readonly reason: unknown

  constructor(reason: unknown) {
    this.reason = reason
  }
}

function isSettled(turn: Turn): turn is SettledTurn {
  return !(turn.refused instanceof Promise)
}
