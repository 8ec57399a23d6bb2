import type { HubData } from './data.ts'

/** A message as listeners on the server get it. All of a thread get the same object, so it is for reading only. */
export interface HubMessage {
  readonly channel: string
  /** Counts the messages of the channel from 1 on. */
  readonly offset: number
  /** Tells the log apart from that before or after a restart of the server. */
  readonly epoch: string
  /** What was published: a Buffer if it was bytes, otherwise what JSON made of it. */
  readonly data: HubData
  readonly isBinary: boolean
  /** A later message with the same key may stand in for this one; null if it has none. */
  readonly key: string | null
  /** When it was published, in milliseconds since 1970. */
  readonly time: number
}

export type HubListener = (message: HubMessage) => void | Promise<void>

/** Those on the server who listen to one channel. */
export class Listeners {
  /** Replaced when it changes, so that it can be walked meanwhile. */
  #all: readonly Listening[] = []

  get size(): number {
    return this.#all.length
  }

  /** @returns takes the listener out again */
  add(listener: HubListener): () => void {
    const listening: Listening = { listener, isActive: true }
    this.#all = [...this.#all, listening]
    return () => {
      listening.isActive = false
      this.#all = this.#all.filter((other) => other !== listening)
    }
  }

  /** @param onError gets what a listener throws: it must not keep the others from getting the message */
  tell(message: HubMessage, onError: (error: unknown) => void): void {
    for (const listening of this.#all) {
      if (!listening.isActive) continue
      try {
        const result: unknown = listening.listener(message)
        if (result instanceof Promise) result.catch(onError)
      } catch (error) {
        onError(error)
      }
    }
  }
}

interface Listening {
  readonly listener: HubListener
  isActive: boolean
}
