/** How far a thread has read the log. */
export class LogPosition {
  /** Messages, of all channels. */
  read = 0
  #awaited: { readonly position: number; readonly resolve: () => void }[] = []

  /** Settles when so many messages have been read. */
  whenRead(position: number): Promise<void> {
    if (this.read >= position) return Promise.resolve()
    return new Promise((resolve) => void this.#awaited.push({ position, resolve }))
  }

  /** At the end of a batch. */
  wake(): void {
    if (this.#awaited.length === 0) return
    for (const { position, resolve } of this.#awaited) if (position <= this.read) resolve()
    this.#awaited = this.#awaited.filter(({ position }) => position > this.read)
  }
}
