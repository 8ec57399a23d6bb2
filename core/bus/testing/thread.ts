import { parentPort, workerData } from 'node:worker_threads'
import { type BusDescription, joinBus } from '../bus.ts'
import { type Seen, see } from './reader.ts'

/** What a thread of a test does. Each one tells its parent "ready" when it has joined. */
export interface ThreadTask {
  readonly description: BusDescription
  /** Reads; posts what it has seen when a message comes in the channel "control", and throws at one in "throw". */
  readonly reads: boolean
  /** Publishes texts of these lengths over and over into these channels, without a pause, when it is told to. */
  readonly lengths: readonly number[]
  readonly channels: readonly string[]
  /** How many it publishes; then it posts its answers. */
  readonly count: number
}

const { description, reads, lengths, channels, count } = workerData as ThreadTask
const port = parentPort!
const bus = joinBus(description)

process.on('uncaughtException', () => undefined)

if (reads) {
  const seen: Seen[] = []
  await bus.read({
    onRecord(record) {
      if (record.channel === 'throw') throw new Error('The listener failed')
      if (record.channel === 'control') port.postMessage(seen)
      else seen.push(see(record))
    }
  })
}
port.once('message', () => void publish())
port.postMessage('ready')

async function publish(): Promise<void> {
  const offsets: number[] = []
  for (let done = 0; done < count; done += BURST) {
    const burst = Array.from({ length: Math.min(BURST, count - done) }, (_, index) =>
      bus.publish(channels[(done + index) % channels.length]!, textOf(done + index))
    )
    for (const { offset } of await Promise.all(burst)) offsets.push(offset)
  }
  port.postMessage(offsets)
}

const BURST = 100

function textOf(number: number): string {
  return `${number} `.padEnd(lengths[number % lengths.length]!, 'x')
}
