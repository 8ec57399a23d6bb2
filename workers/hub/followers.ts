/** Which threads want which channels. What one wants is followed at the broker, once for all of them. */
export class Followers {
  readonly #follow: (channels: readonly string[]) => Promise<void>
  readonly #unfollow: (channels: readonly string[]) => void
  readonly #counts = new Map<string, number>()
  readonly #byThread = new Map<number, Set<string>>()

  constructor(
    follow: (channels: readonly string[]) => Promise<void>,
    unfollow: (channels: readonly string[]) => void
  ) {
    this.#follow = follow
    this.#unfollow = unfollow
  }

  /** Resolves when the channels' messages reach the log. */
  add(thread: number, channels: readonly string[]): Promise<void> {
    const own = this.#byThread.get(thread) ?? new Set()
    this.#byThread.set(thread, own)
    for (const channel of channels) {
      if (own.has(channel)) continue
      own.add(channel)
      this.#counts.set(channel, (this.#counts.get(channel) ?? 0) + 1)
    }
    return this.#follow(channels)
  }

  delete(thread: number, channels: Iterable<string>): void {
    const own = this.#byThread.get(thread)
    if (own === undefined) return
    const unwanted: string[] = []
    for (const channel of channels) {
      if (!own.delete(channel)) continue
      const count = this.#counts.get(channel)! - 1
      if (count > 0) this.#counts.set(channel, count)
      else {
        this.#counts.delete(channel)
        unwanted.push(channel)
      }
    }
    if (unwanted.length > 0) this.#unfollow(unwanted)
  }

  /** The thread has ended. */
  forget(thread: number): void {
    const own = this.#byThread.get(thread)
    if (own === undefined) return
    this.delete(thread, [...own])
    this.#byThread.delete(thread)
  }
}
