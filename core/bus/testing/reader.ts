import type { Bus, BusDescription, LogRecord } from '../bus.ts'
import { type JoinedBus, joinBus } from '../bus.ts'
import { READER_ATTACHED, READER_STATE, READER_WANTED } from '../memory.ts'

/** What a test keeps of a record. */
export interface Seen {
  readonly channel: string
  readonly offset: number
  readonly publisher: number
  readonly sequence: number
  readonly text: string
}

export function see(record: LogRecord): Seen {
  const { channel, offset, publisher, sequence, data } = record
  return { channel, offset, publisher, sequence, text: data.toString() }
}

/** Joins and keeps all it reads. */
export async function collect(description: BusDescription): Promise<{ bus: JoinedBus; seen: Seen[] }> {
  const bus = joinBus(description)
  const seen: Seen[] = []
  await bus.read({ onRecord: (record) => seen.push(see(record)) })
  return { bus, seen }
}

/** Goes round the event loop until the condition holds. A test that fails has to end, so there is a last round. */
export async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) {
    if (round === 10_000) throw new Error(`In vain: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Is let in as a reader and then reads nothing, as a thread that is stuck. */
export async function attachStuck({ inbox }: BusDescription, bus: Bus): Promise<void> {
  const control = new Int32Array(inbox)
  Atomics.store(control, READER_STATE, READER_WANTED)
  await bus.publish('wake up', '')
  await until(() => Atomics.load(control, READER_STATE) === READER_ATTACHED)
}
