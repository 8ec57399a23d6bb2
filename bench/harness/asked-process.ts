import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type Command, startPinned, stop } from './processes.ts'

const SECONDS_TO_ANSWER = 90

/** A process that answers one question at a time. */
export class AskedProcess<Question extends string | object> {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when it says that it is ready. */
  static async start<Question extends string | object>(
    command: Command,
    core: number
  ): Promise<AskedProcess<Question>> {
    const child = startPinned(command, core, ['ignore', 'ignore', 'inherit', 'ipc'])
    const asked = new AskedProcess<Question>(child)
    await asked.#answer()
    return asked
  }

  async ask<Answer>(question: Question): Promise<Answer> {
    const answer = this.#answer<Answer>()
    this.#child.send(question)
    return answer
  }

  async stop(): Promise<void> {
    await stop(this.#child)
  }

  async #answer<Answer>(): Promise<Answer> {
    const settled = new AbortController()
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(SECONDS_TO_ANSWER * 1000)])
    const answer = once(this.#child, 'message', { signal }).then(
      ([message]) => (message as { answer: Answer }).answer
    )
    const end = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('A process of the clients ended early')
    })
    try {
      return await Promise.race([answer, end])
    } finally {
      end.catch(() => {})
      settled.abort()
    }
  }
}
