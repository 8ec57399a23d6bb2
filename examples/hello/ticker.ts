import type { FastifyInstance } from 'fastify'
import type { Tick } from './channels.ts'

const FIRST: readonly Tick[] = [
  { instrument: 'Violin', price: 128 },
  { instrument: 'Viola', price: 96 },
  { instrument: 'Cello', price: 154 },
  { instrument: 'Oboe', price: 73 },
  { instrument: 'Horn', price: 110 },
  { instrument: 'Timpani', price: 61 }
]

/** In milliseconds. */
const PAUSE = 250

/**
 * Four made-up prices a second, from whichever worker is the first to miss one: each has its own copy of this app, and some
 * may die. What the others publish comes to all of them, so any can go on.
 */
export async function startTicker(fastify: FastifyInstance): Promise<void> {
  const prices = new Map(FIRST.map(({ instrument, price }) => [instrument, price]))
  let turn = 0
  let lastTick = 0
  const hear = ({ instrument, price }: Tick): void => {
    prices.set(instrument, price)
    turn = FIRST.findIndex((each) => each.instrument === instrument) + 1
  }
  fastify.hub.subscribe('ticks', ({ data }) => {
    lastTick = Date.now()
    hear(data as Tick)
  })
  const publishWhenDue = (): void => {
    if (Date.now() - lastTick < PAUSE) return
    lastTick = Date.now()
    const { instrument } = FIRST[turn % FIRST.length]!
    // The server may be closing by now.
    fastify.hub.publish('ticks', { instrument, price: next(prices.get(instrument)!) }).catch(() => {})
  }
  let timer: ReturnType<typeof setInterval> | undefined
  fastify.addHook('onListen', async () => {
    // A worker that takes the place of another goes on where that was.
    const { messages } = await fastify.hub.history('ticks', { limit: FIRST.length })
    for (const { data } of messages) hear(data as Tick)
    timer = setInterval(publishWhenDue, 20 + Math.random() * 20)
  })
  fastify.addHook('preClose', async () => clearInterval(timer))
}

/** Wanders at random, and stays between 10 and 400. */
function next(price: number): number {
  const moved = price * (1 + (Math.random() - 0.5) * 0.03)
  return Math.round(Math.min(400, Math.max(10, moved)) * 100) / 100
}
