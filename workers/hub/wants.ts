import type { Demand } from '../../core/broadcast/hub.ts'

/** How long a channel that nobody in the thread wants any more is kept coming, in milliseconds: clients come back. */
const LINGER = 5000

interface Want {
  /** Null once its messages come. */
  coming: Promise<void> | null
}

/** The channels that a thread wants, as it tells the primary. Those of one turn are told together. */
export class Wants implements Demand {
  readonly #tell: (channels: readonly string[]) => Promise<void>
  readonly #end: (channels: readonly string[]) => void
  readonly #wants = new Map<string, Want>()
  /** Released, and not ended yet; with those that were already here a while ago. */
  readonly #released = new Set<string>()
  #due: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout | null = null
  #batch: { readonly channels: string[]; readonly told: Promise<void> } | null = null

  /** @param tell resolves when the channels' messages come */
  constructor(
    tell: (channels: readonly string[]) => Promise<void>,
    end: (channels: readonly string[]) => void
  ) {
    this.#tell = tell
    this.#end = end
  }

  want(channel: string): Promise<void> | null {
    this.#released.delete(channel)
    const known = this.#wants.get(channel)
    if (known !== undefined) return known.coming
    const want: Want = { coming: null }
    this.#wants.set(channel, want)
    want.coming = this.#enlist(channel).then(
      () => {
        want.coming = null
      },
      // The server is closing: nothing comes any more.
      () => {}
    )
    return want.coming
  }

  release(channel: string): void {
    this.#released.add(channel)
    this.#timer ??= setInterval(() => this.#sweep(), LINGER).unref()
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #enlist(channel: string): Promise<void> {
    if (this.#batch === null) {
      const channels: string[] = []
      const told = Promise.resolve().then(() => {
        this.#batch = null
        return this.#tell(channels)
      })
      this.#batch = { channels, told }
    }
    this.#batch.channels.push(channel)
    return this.#batch.told
  }

  #sweep(): void {
    const ended = [...this.#released].filter((channel) => this.#due.has(channel))
    for (const channel of ended) {
      this.#released.delete(channel)
      this.#wants.delete(channel)
    }
    this.#due = new Set(this.#released)
    if (ended.length > 0) this.#end(ended)
  }
}
