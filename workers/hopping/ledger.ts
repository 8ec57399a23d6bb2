/** What a channel has, as its publishers and subscribers have seen it: all have to see the same. */
export class Ledger {
  readonly #messages = new Map<number, string>()
  /** In words. There must be none. */
  readonly faults: string[] = []

  /** Somebody says that this message has this place. */
  note(who: string, offset: number, text: string): void {
    const known = this.#messages.get(offset)
    if (known === undefined) this.#messages.set(offset, text)
    else if (known !== text) this.fault(`${who} has ${text} at offset ${offset}, where others have ${known}`)
  }

  fault(fault: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(fault)
  }

  /** Of the messages that have more than one place. */
  get repeated(): number {
    return this.#messages.size - new Set(this.#messages.values()).size
  }
}

const MOST_FAULTS = 10
