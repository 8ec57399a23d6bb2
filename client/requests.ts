import { ClientError, ownError } from './errors.ts'
import type { Notice } from './notices.ts'

export type Answered = (error: ClientError | null, ok: unknown) => void

/** Which errors pass by themselves: the server closes, or has too much to do. */
export const PASSING: RegExp = /_(CLOSED|OVERLOAD|FAILED|UNAVAILABLE|CALLED_OFF)$/

/** Requests that have no answer yet, in the order in which they were made. */
export class Requests {
  readonly #pending = new Map<number, Pending>()
  readonly #limit: number
  #lastId = 0
  /** Of the server, in bytes; known from the first connection on. */
  maxMessageBytes: number = Infinity

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * A request of the program. It outlives its connection: the next one sends it again.
   *
   * @param data JSON, or null
   * @param send null while there is no connection
   */
  ask<Result>(fields: object, data: string | null, send: Send | null): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size >= this.#limit) throw ownError('SCZ_ERR_CLIENT_QUEUE')
      const answered: Answered = (error, ok) => (error === null ? resolve(ok as Result) : reject(error))
      this.#add(fields, data, true, answered, send)
    })
  }

  /** A request that only makes sense on the connection that there is: `answered` is never called if that ends before. */
  askNow(fields: object, send: Send, answered: Answered): void {
    this.#add(fields, null, false, answered, send)
  }

  answer({ id, ok, error }: Notice): void {
    const pending = this.#pending.get(id!)
    if (pending === undefined) return
    // The server closes: what it did not do, the next one will.
    if (error !== undefined && pending.isLasting && error.code.endsWith('_CLOSED')) return
    this.#pending.delete(id!)
    pending.answered(error === undefined ? null : new ClientError(error.code, error.message), ok)
  }

  /** The connection has ended. */
  drop(): void {
    for (const [id, { isLasting }] of this.#pending) if (!isLasting) this.#pending.delete(id)
  }

  sendAgain(send: Send): void {
    for (const [id, { isLasting, text }] of this.#pending) if (isLasting) this.#send(id, text, send)
  }

  rejectAll(error: ClientError): void {
    for (const { isLasting, answered } of this.#pending.values()) if (isLasting) answered(error, null)
    this.#pending.clear()
  }

  #add(fields: object, data: string | null, isLasting: boolean, answered: Answered, send: Send | null): void {
    const id = ++this.#lastId
    const head = JSON.stringify({ id, ...fields })
    const text = data === null ? head : `${head.slice(0, -1)},"data":${data}}`
    this.#pending.set(id, { text, isLasting, answered })
    if (send !== null) this.#send(id, text, send)
  }

  #send(id: number, text: string, send: Send): void {
    if (bytesIn(text) <= this.maxMessageBytes) return send(text)
    const { answered } = this.#pending.get(id)!
    this.#pending.delete(id)
    answered(ownError('SCZ_ERR_CLIENT_SIZE'), null)
  }
}

export type Send = (text: string) => void

interface Pending {
  readonly text: string
  readonly isLasting: boolean
  readonly answered: Answered
}

function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length
}
