import { BYTES_AFTER_SEQUENCE, microsecondsNow, SEQUENCE_DIGITS, TIME_DIGITS } from '../broadcast/message.ts'
import { quantile } from './statistics.ts'
import { type Observer, readDigits } from './subscriber.ts'

export const observations = ['none', 'latency', 'completion'] as const
export type Observation = (typeof observations)[number]

/** Looks at the messages published between two moments. */
export interface WindowObserver extends Observer {
  from: number
  to: number
  /** In milliseconds. */
  figures: () => Record<string, number>
}

/** From publishing a message to each of its deliveries. */
export class LatencyObserver implements WindowObserver {
  from: number = Infinity
  to: number = Infinity
  readonly #latencies: number[] = []

  see(_channel: number, _sequence: number, bytes: Buffer, end: number): void {
    const published = readPublished(bytes, end)
    if (published < this.from || published >= this.to) return
    this.#latencies.push((microsecondsNow() - published) / 1000)
  }

  figures(): Record<string, number> {
    return { ...quantiles('', this.#latencies), messages: this.#latencies.length }
  }
}

interface Progress {
  left: number
  published: number
  seen: number
}

/** From publishing a message, and from publishing the first of a round, to the last subscriber that gets it. */
export class CompletionObserver implements WindowObserver {
  from: number = Infinity
  to: number = Infinity
  readonly #connections: number
  readonly #channels: number
  readonly #messages: Map<number, Progress> = new Map()
  readonly #rounds: Map<number, Progress> = new Map()

  constructor(connections: number, channels: number) {
    this.#connections = connections
    this.#channels = channels
  }

  see(channel: number, sequence: number, bytes: Buffer, end: number): void {
    const published = readPublished(bytes, end)
    if (published < this.from || published >= this.to) return
    const now = microsecondsNow()
    const key = sequence * this.#channels + channel
    progress(this.#messages, key, this.#subscribersOf(channel), published, now)
    progress(this.#rounds, sequence, this.#connections, published, now)
  }

  figures(): Record<string, number> {
    const messages = completed(this.#messages)
    // A round that began before the window is not there as a whole.
    const rounds = completed(this.#rounds)
    return { ...quantiles('message', messages), ...quantiles('', rounds), rounds: rounds.length }
  }

  #subscribersOf(channel: number): number {
    return Math.ceil((this.#connections - channel) / this.#channels)
  }
}

function progress(
  all: Map<number, Progress>,
  key: number,
  subscribers: number,
  published: number,
  now: number
): void {
  const known = all.get(key)
  if (known === undefined) {
    all.set(key, { left: subscribers - 1, published, seen: now })
  } else {
    known.left--
    known.seen = now
    known.published = Math.min(known.published, published)
  }
}

function completed(all: Map<number, Progress>): number[] {
  return [...all.values()]
    .filter(({ left }) => left === 0)
    .map(({ seen, published }) => (seen - published) / 1000)
}

function readPublished(bytes: Buffer, end: number): number {
  return readDigits(bytes, end - BYTES_AFTER_SEQUENCE - SEQUENCE_DIGITS, TIME_DIGITS)
}

function quantiles(prefix: string, milliseconds: readonly number[]): Record<string, number> {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const name = (figure: string): string => (prefix === '' ? figure : `${prefix}-${figure}`)
  return {
    [name('average')]: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    [name('p50')]: quantile(sorted, 0.5),
    [name('p99')]: quantile(sorted, 0.99)
  }
}
