import { Queue } from '../bus/queue.ts'

/** Places in the log, as its bus has them: they count bytes, modulo 2^32. */
export interface LogPlaces {
  /** Behind the last message that this thread has been given. */
  readonly position: number
  /** Behind the last message that there is. */
  readonly end: number
}

/** How far a thread has read the log. */
export class LogPosition {
  readonly #places: LogPlaces
  readonly #marks = new Queue<{ readonly end: number; readonly onPassed: () => void }>()
  /** Messages, of all channels. */
  read = 0
  #awaited: { readonly position: number; readonly resolve: () => void }[] = []

  constructor(places: LogPlaces) {
    this.#places = places
  }

  /** To be called with each message, before it is looked at. */
  pass(): void {
    this.read++
    if (this.#marks.size > 0) this.#passMarks(1)
  }

  /** Calls back when everything has been read that is in the log now, and nothing that is not. */
  mark(onPassed: () => void): void {
    const { end, position } = this.#places
    if (end === position) onPassed()
    else this.#marks.push({ end, onPassed })
  }

  /** Settles when so many messages have been read. */
  whenRead(position: number): Promise<void> {
    if (this.read >= position) return Promise.resolve()
    return new Promise((resolve) => void this.#awaited.push({ position, resolve }))
  }

  /** At the end of a batch. */
  wake(): void {
    this.#passMarks(0)
    if (this.#awaited.length === 0) return
    for (const { position, resolve } of this.#awaited) if (position <= this.read) resolve()
    this.#awaited = this.#awaited.filter(({ position }) => position > this.read)
  }

  /** @param least how far behind a mark reading has to be, in bytes: within a message, only those before it count */
  #passMarks(least: number): void {
    const { position } = this.#places
    for (let mark = this.#marks.first; mark !== undefined; mark = this.#marks.first) {
      if (((position - mark.end) | 0) < least) return
      this.#marks.shift()
      mark.onPassed()
    }
  }
}
