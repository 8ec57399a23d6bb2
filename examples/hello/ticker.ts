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
 * may die. What the others publish comes to all of them, so any can go on; and since the key says which tick it is, only one is
 * published where two miss it at once.
 */
export async function startTicker(fastify: FastifyInstance): Promise<void> {
  const prices = new Map(FIRST.map(({ instrument, price }) => [instrument, price]))
  let epoch = ''
  let last = 0
  let lastTime = 0
  const hear = (offset: number, { instrument, price }: Tick): void => {
    last = Math.max(last, offset)
    prices.set(instrument, price)
  }
  fastify.hub.subscribe('ticks', (message) => {
    lastTime = Date.now()
    if (message.epoch !== epoch) last = 0
    epoch = message.epoch
    hear(message.offset, message.data as Tick)
  })
  const publishWhenDue = (): void => {
    if (Date.now() - lastTime < PAUSE) return
    lastTime = Date.now()
    const { instrument } = FIRST[last % FIRST.length]!
    const tick = { instrument, price: next(prices.get(instrument)!) }
    // The server may be closing by now.
    fastify.hub.publish('ticks', tick, { idempotencyKey: `${epoch} ${last + 1}` }).catch(() => {})
  }
  let timer: ReturnType<typeof setInterval> | undefined
  fastify.addHook('onListen', async () => {
    // A worker that takes the place of another goes on where that was.
    const past = await fastify.hub.history('ticks', { limit: FIRST.length })
    epoch = past.epoch
    last = Math.max(last, past.offset)
    for (const { offset, data } of past.messages) hear(offset, data as Tick)
    timer = setInterval(publishWhenDue, 20 + Math.random() * 20)
  })
  fastify.addHook('preClose', async () => clearInterval(timer))
}

/** Wanders at random, and stays between 10 and 400. */
function next(price: number): number {
  const moved = price * (1 + (Math.random() - 0.5) * 0.03)
  return Math.round(Math.min(400, Math.max(10, moved)) * 100) / 100
}
