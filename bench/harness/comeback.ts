import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from './statistics.ts'
import { type Shared, Subscriber } from './subscriber.ts'

export interface ComebackLoad {
  /** Over which they come back, evenly. */
  seconds: number
  /** Handshakes under way at once. */
  atATime: number
}

/** How those came back that had left. A subscriber is level when it has everything and gets what comes. */
export interface Comeback {
  /** From the first one's coming to the last one's being level, in seconds. */
  seconds: number
  /** From the moment at which a subscriber was due to its being level, in milliseconds. */
  p50: number
  p99: number
  /** Messages that were given to all of them together before what comes. */
  recovered: number
}

/** Each takes the place in the array of the one whose sequence it goes on with. */
export async function comeBack(
  shared: Shared,
  subscribers: Subscriber[],
  pathOf: (channel: number) => string,
  { seconds, atATime }: ComebackLoad
): Promise<Comeback> {
  const gate = new Gate(atATime)
  const begin = performance.now()
  const levels: Promise<number>[] = []
  for (const [index, before] of subscribers.entries()) {
    const due = begin + (index / subscribers.length) * seconds * 1000
    const wait = due - performance.now()
    if (wait > 0) await sleep(wait)
    await gate.enter()
    const subscriber = new Subscriber(shared, before.channel, pathOf(before.channel), before)
    subscribers[index] = subscriber
    void subscriber.open.then(() => gate.leave())
    levels.push(subscriber.ready.then(() => performance.now() - due))
  }
  const latencies = await Promise.all(levels)
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    seconds: (performance.now() - begin) / 1000,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    recovered: subscribers.reduce((sum, { recovered }) => sum + recovered, 0)
  }
}

/** Lets so many in at once, in their order. */
class Gate {
  #room: number
  #resume: (() => void) | null = null

  constructor(room: number) {
    this.#room = room
  }

  async enter(): Promise<void> {
    if (this.#room === 0) await new Promise<void>((resolve) => (this.#resume = resolve))
    this.#room--
  }

  leave(): void {
    this.#room++
    this.#resume?.()
    this.#resume = null
  }
}
