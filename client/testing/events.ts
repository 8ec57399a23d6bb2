import type { Client } from '../client.ts'
import type { ClientEvents } from '../events.ts'

/** What a client has told of by an event, in order, for a test to look at or wait for. */
export class Told<Name extends keyof ClientEvents> {
  readonly events: ClientEvents[Name][] = []
  #wake: (() => void) | null = null

  constructor(client: Pick<Client<object>, 'on'>, name: Name) {
    client.on(name, (event) => {
      this.events.push(event)
      this.#wake?.()
    })
  }

  /** The first one, early or late, of which this is true. */
  async find(isIt: (event: ClientEvents[Name]) => boolean = () => true): Promise<ClientEvents[Name]> {
    for (;;) {
      const found = this.events.find(isIt)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Waits for the next one. */
  async next(): Promise<ClientEvents[Name]> {
    const { length } = this.events
    return this.find((event) => this.events.indexOf(event) >= length)
  }
}
