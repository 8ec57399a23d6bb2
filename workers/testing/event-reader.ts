import { setTimeout as delay } from 'node:timers/promises'
import { RawClient } from './raw-client.ts'

/** One event, or a block with fields and no data. */
export interface ReadEvent {
  readonly event?: string
  readonly id?: string
  readonly retry?: string
  readonly data?: string
}

/** A client that follows an event stream as curl does. */
export class EventReader {
  readonly client: RawClient

  private constructor(client: RawClient) {
    this.client = client
  }

  /** @param headers lines */
  static async open(port: number, path: string, headers: readonly string[] = []): Promise<EventReader> {
    const reader = new EventReader(await RawClient.open(port))
    reader.client.send([`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n'))
    await reader.client.receive(/\r\n\r\n/)
    return reader
  }

  get head(): string {
    return this.client.received.split('\r\n\r\n', 1)[0]!
  }

  /** Those that are there as a whole. */
  get events(): ReadEvent[] {
    return readEvents(this.client.received.slice(this.head.length + 4))
  }

  /** JSON of messages, without notices. */
  get messages(): { channel: string; offset: number; data?: unknown; base64?: string }[] {
    return this.events.flatMap(({ event, data }) =>
      event === undefined && data !== undefined ? JSON.parse(data) : []
    )
  }

  get offsets(): number[] {
    return this.messages.map(({ offset }) => offset)
  }

  get lastId(): string {
    return this.events.findLast(({ id }) => id !== undefined)!.id!
  }

  /** JSON of the notices with this name. */
  notices(name: string): unknown[] {
    return this.events.flatMap(({ event, data }) => (event === name ? JSON.parse(data!) : []))
  }

  /** Waits until it has so many messages; fails if the stream ends before. */
  async take(count: number): Promise<void> {
    await this.until(() => this.messages.length >= count)
  }

  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.client.socket.destroyed) throw new Error(`It ended: ${this.client.received.slice(-1000)}`)
      await delay(5)
    }
  }

  close(): void {
    this.client.close()
  }
}

export function readEvents(text: string): ReadEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => {
      const event: Record<string, string> = {}
      for (const line of block.split('\n')) {
        const [, name = '', value = ''] = /^([a-z]*): ?(.*)$/.exec(line) ?? []
        if (name !== '') event[name] = value
      }
      return event
    })
}
