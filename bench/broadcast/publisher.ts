import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { channelName } from './message.ts'

/** What a server does to publish. Everything else is the same loop for all of them. */
export interface Publisher {
  publish: (channel: string, sequence: number) => void
  /** No more messages of one channel than these before the event loop has its turn. */
  mostPerTurn: () => number
  /** Resolves when the server may take more: backpressure, as the server tells it. */
  drained: () => Promise<void>
}

/** What a control request asks for. */
export interface Order {
  seconds: number
  /** Rounds a second; without one as many as backpressure allows. */
  rate: number | null
  channels: number
  /** Messages before the event loop has its turn, without a rate. */
  turn: number
}

export const PUBLISH_PATH = '/publish'

export function orderQuery({ seconds, rate, channels, turn }: Order): string {
  return `?seconds=${seconds}&rate=${rate ?? ''}&channels=${channels}&turn=${turn}`
}

export function parseOrder(url: string): Order {
  const { searchParams } = new URL(url, 'http://localhost')
  return {
    seconds: Number(searchParams.get('seconds')),
    rate: Number(searchParams.get('rate')) || null,
    channels: Number(searchParams.get('channels')),
    turn: Number(searchParams.get('turn'))
  }
}

/** Publishes rounds of one message to each channel. Gives the number of rounds. */
export async function publishAll(
  publisher: Publisher,
  { seconds, rate, channels, turn }: Order
): Promise<number> {
  const names = Array.from({ length: channels }, (_, index) => channelName(index))
  const end = performance.now() + seconds * 1000
  return rate === null
    ? publishFreely(publisher, names, end, turn)
    : publishAtRate(publisher, names, end, rate)
}

async function publishFreely(
  publisher: Publisher,
  names: readonly string[],
  end: number,
  turn: number
): Promise<number> {
  let sequence = 0
  while (performance.now() < end) {
    for (const last = sequence + Math.min(turn, publisher.mostPerTurn()); sequence < last; sequence++) {
      for (const name of names) publisher.publish(name, sequence)
    }
    await publisher.drained()
    await nextTurn()
  }
  return sequence
}

async function publishAtRate(
  publisher: Publisher,
  names: readonly string[],
  end: number,
  rate: number
): Promise<number> {
  let sequence = 0
  for (let due = performance.now(); due < end; due += 1000 / rate) {
    const wait = due - performance.now()
    // A timer takes a millisecond at least, so what is late only lets others have their turn.
    await (wait > 0 ? sleep(wait) : nextTurn())
    for (const name of names) publisher.publish(name, sequence)
    sequence++
  }
  return sequence
}

// A socket that holds more than that of what was sent is behind.
const BEHIND_BYTES = 1024 * 1024

// Below that asking every socket would cost more than sending did.
const SENDS_PER_TURN = 1024

/** For servers that write to every socket in the publisher's loop. */
export function messagesForSends(sockets: number): number {
  return Math.ceil(SENDS_PER_TURN / Math.max(1, sockets))
}

/** Waits until no socket is behind. */
export async function untilCaughtUp<T>(
  sockets: () => Iterable<T>,
  held: (socket: T) => number
): Promise<void> {
  while (isAnyBehind(sockets(), held)) await sleep(1)
}

function isAnyBehind<T>(sockets: Iterable<T>, held: (socket: T) => number): boolean {
  for (const socket of sockets) if (held(socket) > BEHIND_BYTES) return true
  return false
}
