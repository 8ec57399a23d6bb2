// Run as: node delivery-crowd.ts PORT PATH CONNECTIONS OFFER BYTES, with an IPC channel.
// Many subscribers in one process. It reads and checks every message while it is told to, and only counts bytes otherwise.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Data, isAsPublished } from '../delivery/data.ts'
import { FrameStream } from './frame-stream.ts'
import { Handshake } from './handshake.ts'

export type CrowdQuestion =
  | { read: boolean }
  | 'bytes'
  /** Waits until all have a message with this sequence as their last. */
  | { last: number }

const AT_A_TIME = 128
const SECONDS_TO_ARRIVE = 30
const TEXT = 1
const CLOSE = 8
const READ_BYTES = 262_144

const [port = '', path = '', connections = '', offer = '', bytes = ''] = process.argv.slice(2)
// One for all connections: a read is done with before the next one starts.
const memory = Buffer.allocUnsafeSlow(READ_BYTES)
let isReading = true

class Member {
  /** Of the last message that was read. */
  last = -1
  readonly ready: Promise<void>
  readonly stream: FrameStream = new FrameStream({
    isReading: () => isReading,
    onFrame: (opcode, payload) => this.#take(opcode, payload)
  })
  /** Whether it has read every message so far. */
  #isWhole = true

  constructor() {
    let handshake: Handshake | null = new Handshake(
      Number(port),
      path,
      offer === '' ? [] : [`Sec-WebSocket-Extensions: ${offer}`]
    )
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ready = promise
    const take = (chunk: Buffer): void => {
      if (handshake === null) return this.stream.push(chunk)
      const behind = handshake.push(chunk)
      if (behind === null) return
      handshake = null
      resolve()
      this.stream.push(behind)
    }
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: memory, callback: (length) => (take(memory.subarray(0, length)), true) }
    })
    socket.once('error', reject)
    socket.once('close', () => fail('A connection was lost'))
    socket.write(handshake.request)
  }

  /** What comes is counted and not read. */
  lapse(): void {
    this.#isWhole = false
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) fail(`A connection was closed: ${payload.toString('utf8', 2)}`)
    if (opcode !== TEXT) return
    const message = JSON.parse(payload.toString()) as { data?: Data } | { data?: Data }[]
    for (const { data } of [message].flat()) {
      if (data === undefined || !isAsPublished(data, Number(bytes))) fail(`Not published: ${String(payload)}`)
      else if (this.#isWhole ? data.sequence !== this.last + 1 : data.sequence <= this.last)
        fail(`${data.sequence} came after ${this.last}`)
      else {
        this.last = data.sequence
        this.#isWhole = true
      }
    }
  }
}

const members: Member[] = []
// A benchmark that was killed leaves no client behind.
process.on('disconnect', () => process.exit())
process.on('message', (question: CrowdQuestion) => void answer(question).then(tell))
while (members.length < Number(connections)) {
  const count = Math.min(AT_A_TIME, Number(connections) - members.length)
  const batch = Array.from({ length: count }, () => new Member())
  members.push(...batch)
  await Promise.all(batch.map(({ ready }) => ready))
}
tell('ready')

async function answer(question: CrowdQuestion): Promise<unknown> {
  if (question === 'bytes') return members.reduce((sum, { stream }) => sum + stream.bytes, 0)
  if ('read' in question) {
    isReading = question.read
    if (!isReading) for (const member of members) member.lapse()
    return null
  }
  const deadline = performance.now() + SECONDS_TO_ARRIVE * 1000
  while (members.some(({ last }) => last !== question.last)) {
    if (performance.now() > deadline) fail(`Not all have got the message ${question.last}`)
    await sleep(20)
  }
  return null
}

function fail(reason: string): never {
  console.error(reason)
  process.exit(1)
}

function tell(answer: unknown): void {
  process.send?.({ answer })
}
