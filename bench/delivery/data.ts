// What is published: JSON as services send it, of an exact length, that follows from its number. So a client can tell that
// nothing in it has changed, and compression finds as much to do as it would in earnest.

import { microsecondsNow } from '../broadcast/message.ts'

export const CHANNEL = 'orders'

export interface Data {
  readonly sequence: number
  /** When it was published, in microseconds since 1970. */
  readonly at: number
  readonly orders: readonly Order[]
  readonly note: string
}

interface Order {
  readonly id: string
  readonly side: 'buy' | 'sell'
  readonly price: number
  readonly quantity: number
  readonly venue: string
}

/** @param bytes of its JSON */
export function composeData(sequence: number, bytes: number, at: number = microsecondsNow()): Data {
  return { sequence, at, ...bodyOf(sequence, bytes) }
}

/** Whether it is as it was published. */
export function isAsPublished(data: Data, bytes: number): boolean {
  return JSON.stringify(data) === JSON.stringify(composeData(data.sequence, bytes, data.at))
}

const VENUES = ['NYSE', 'NASDAQ', 'LSE', 'XETRA', 'TSE', 'SIX', 'HKEX', 'ASX']
const BODIES = 64
const known = new Map<string, Pick<Data, 'orders' | 'note'>>()

/** Made once for a number of sequences: publishing should cost little. */
function bodyOf(sequence: number, bytes: number): Pick<Data, 'orders' | 'note'> {
  const seed = sequence % BODIES
  const key = `${seed} ${bytes} ${String(sequence).length}`
  let body = known.get(key)
  if (body === undefined) known.set(key, (body = compose(seed, bytes - lengthOfHead(sequence))))
  return body
}

function lengthOfHead(sequence: number): number {
  return JSON.stringify({ sequence, at: microsecondsNow() }).length - 1
}

function compose(seed: number, bytes: number): Pick<Data, 'orders' | 'note'> {
  const random = randomFrom(seed + 1)
  const orders: Order[] = []
  for (;;) {
    const order: Order = {
      id: Math.floor(random() * 2 ** 40).toString(36),
      side: random() < 0.5 ? 'buy' : 'sell',
      price: Math.round(random() * 100_000) / 100,
      quantity: Math.ceil(random() * 500),
      venue: VENUES[Math.floor(random() * VENUES.length)]!
    }
    const filling = bytes - lengthOf([...orders, order], '')
    if (filling < 0) break
    orders.push(order)
  }
  return { orders, note: '.'.repeat(bytes - lengthOf(orders, '')) }
}

/** With the comma in front, in the place of the opening brace. */
function lengthOf(orders: readonly Order[], note: string): number {
  return JSON.stringify({ orders, note }).length
}

/** Numerical Recipes' linear congruential generator: the same numbers on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
