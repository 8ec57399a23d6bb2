import { ScherzoError } from '../../core/errors.ts'

interface Ask {
  /** What can't be done while the server is closing. */
  readonly action: string
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: ScherzoError) => void
}

/** What a thread has asked the primary and has no answer to yet. */
export class Asks {
  readonly #open = new Map<number, Ask>()
  #last = 0

  get size(): number {
    return this.#open.size
  }

  open<Answer>(action: string): { readonly ask: number; readonly promise: Promise<Answer> } {
    const ask = ++this.#last
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#open.set(ask, { action, resolve: (answer) => resolve(answer as Answer), reject })
    return { ask, promise }
  }

  settle(ask: number, answer: unknown): void {
    this.#open.get(ask)?.resolve(answer)
    this.#open.delete(ask)
  }

  refuse(ask: number, error: ScherzoError): void {
    this.#open.get(ask)?.reject(error)
    this.#open.delete(ask)
  }

  close(): void {
    for (const { action, reject } of this.#open.values()) reject(new ScherzoError('SCZ_ERR_CLOSED', [action]))
    this.#open.clear()
  }
}
