import type { LogListener, LogRecord, Published, PublishOptions } from '../../bus/bus.ts'
import { Hub, type HubBus, type HubOptions } from '../hub.ts'

/** A log that is read when the test says so. */
export class FakeBus implements HubBus {
  readonly #offsets = new Map<string, number>()
  #records: LogRecord[] = []
  #listener: LogListener | null = null
  isPaused = false
  isClosed = false

  publish(channel: string, data: string | Uint8Array, options?: PublishOptions): Promise<Published> {
    const offset = (this.#offsets.get(channel) ?? 0) + 1
    this.#offsets.set(channel, offset)
    this.#records.push({
      channel,
      offset,
      epoch: 'epoch',
      time: 1_700_000_000_000,
      isText: typeof data === 'string',
      data: Buffer.from(data as string),
      key: options?.key ?? null
    } as unknown as LogRecord)
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

  /** One turn of the reader. @returns how many messages it read */
  turn(batch: number = Infinity): number {
    let count = 0
    while (this.#records.length > 0 && count < batch && !this.isPaused) {
      this.#listener!.onRecord(this.#records.shift()!)
      count++
    }
    if (count > 0) this.#listener!.onBatchEnd?.()
    return count
  }
}

/** A hub that reads already. */
export function createHub(options: Partial<HubOptions> = {}): { bus: FakeBus; hub: Hub; errors: string[] } {
  const bus = new FakeBus()
  const errors: string[] = []
  const hub = new Hub(bus, { chunk: 128, onError: (_error, message) => errors.push(message), ...options })
  void hub.start()
  return { bus, hub, errors }
}

/** A turn of the event loop. */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
