import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { LOAD_CORE } from './cores.ts'
import type { Observation } from './observers.ts'
import { type Command, startPinned } from './processes.ts'
import type { Protocol } from './dialogue.ts'
import type { Question } from './subscriber-client.ts'

export interface Audience {
  protocol: Protocol
  subscribers: number
  channels: number
  /** Handshakes under way at once. */
  atATime: number
  observation: Observation
}

const SECONDS_TO_ANSWER = 90

/** A process that holds many subscribers. */
export class Subscribers {
  readonly process: ChildProcess

  private constructor(process: ChildProcess) {
    this.process = process
  }

  static async open(port: number, audience: Audience): Promise<Subscribers> {
    const command = subscribersCommand(audience, port)
    const child = startPinned(command, LOAD_CORE, ['ignore', 'ignore', 'inherit', 'ipc'])
    const subscribers = new Subscribers(child)
    const open = await subscribers.#answer<number>()
    if (open !== audience.subscribers)
      throw new Error(`Only ${open} of ${audience.subscribers} subscribers connected`)
    return subscribers
  }

  async ask<T>(question: Question): Promise<T> {
    const answer = this.#answer<T>()
    this.process.send(question)
    return answer
  }

  /** The process lets others on its core go first. */
  giveWay(): void {
    this.process.send('yield' satisfies Question)
  }

  async #answer<T>(): Promise<T> {
    const settled = new AbortController()
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(SECONDS_TO_ANSWER * 1000)])
    const answer = once(this.process, 'message', { signal }).then(([message]) => message as T)
    const end = once(this.process, 'exit', { signal }).then(() => {
      throw new Error('The process of the subscribers ended early')
    })
    try {
      return await Promise.race([answer, end])
    } finally {
      end.catch(() => {})
      settled.abort()
    }
  }
}

export function subscribersCommand(audience: Audience, port: number | string): Command {
  const { protocol, subscribers, channels, atATime, observation } = audience
  const what = [protocol, subscribers, channels, atATime, observation].map(String)
  return ['node', 'bench/harness/subscriber-client.ts', String(port), ...what]
}
