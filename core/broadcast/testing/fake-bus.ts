import type { HistoryAnswer, HistorySource } from '../history.ts'
import type { LogListener, LogRecord, Published, PublishOptions } from '../../bus/bus.ts'
import { Hub, type HubBus, type HubOptions } from '../hub.ts'

/** A log that is read when the test says so. */
export class FakeBus implements HubBus {
  readonly #offsets = new Map<string, number>()
  #records: LogRecord[] = []
  #listener: LogListener | null = null
  /** Reads ahead of the hub. */
  onPublish: ((record: LogRecord) => void) | null = null
  published = 0
  /** Counts messages, which is as good as bytes. */
  position = 0
  isPaused = false
  isClosed = false

  get end(): number {
    return this.published
  }

  publish(channel: string, data: string | Uint8Array, options?: PublishOptions): Promise<Published> {
    const offset = (this.#offsets.get(channel) ?? 0) + 1
    this.#offsets.set(channel, offset)
    this.published++
    const record = {
      channel,
      offset,
      epoch: 'epoch',
      time: 1_700_000_000_000,
      isText: typeof data === 'string',
      data: Buffer.from(data as string),
      key: options?.key ?? null,
      gap: null
    } as unknown as LogRecord
    this.#records.push(record)
    this.onPublish?.(record)
    return Promise.resolve({ epoch: 'epoch', offset })
  }

  async read(listener: LogListener): Promise<void> {
    this.#listener = listener
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  close(): void {
    this.isClosed = true
  }

  /** Loses a message of the channel, as the real log never does. */
  lose(channel: string): void {
    this.#offsets.set(channel, (this.#offsets.get(channel) ?? 0) + 1)
  }

  offsetOf(channel: string): number {
    return this.#offsets.get(channel) ?? 0
  }

  /** One turn of the reader. @returns how many messages it read */
  turn(batch: number = Infinity): number {
    let count = 0
    while (this.#records.length > 0 && count < batch && !this.isPaused) {
      this.position++
      this.#listener!.onRecord(this.#records.shift()!)
      count++
    }
    if (count > 0) this.#listener!.onBatchEnd?.()
    return count
  }
}

/** A hub that reads already. */
export function createHub(
  options: Partial<HubOptions> = {},
  bus: FakeBus = new FakeBus()
): { bus: FakeBus; hub: Hub; errors: string[] } {
  const errors: string[] = []
  const hub = new Hub(bus, {
    chunk: 128,
    history: new NoHistory(),
    presence: { has: () => false, watch: () => {} },
    onError: (_error, message) => errors.push(message),
    ...options
  })
  void hub.start()
  return { bus, hub, errors }
}

/** A turn of the event loop. */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Keeps nothing, and knows nothing. */
class NoHistory implements HistorySource {
  async fetch(): Promise<HistoryAnswer> {
    return { epoch: 'epoch', offset: 0, first: 1, messages: [], position: 0 }
  }
}
