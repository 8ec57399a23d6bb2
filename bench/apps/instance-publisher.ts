import type { FastifyInstance } from 'fastify'
import { composeData } from '../broadcast/message.ts'
import { parseOrder, publishAll, PUBLISH_PATH, type Publisher } from '../broadcast/publisher.ts'
import { Turns, TURNS, TURNS_HAD } from '../instances/turns.ts'

// While one turn is fanned out the next one is published.
const TURNS_UNDER_WAY = 2

/** The instance that publishes to subscribers of the other one. It has none itself. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/plaintext', 'Hello, World!')
  const publisher = publisherOf(fastify.hub)
  fastify.post(PUBLISH_PATH, async ({ url }) => String(await publishAll(publisher, parseOrder(url))))
}

function publisherOf(hub: FastifyInstance['hub']): Publisher {
  const turns = new Turns(TURNS_UNDER_WAY)
  let published: Promise<unknown> = Promise.resolve()
  hub.subscribe(TURNS_HAD, ({ data }) => turns.had(Number(data)))
  return {
    publish: (channel, sequence) => {
      published = hub.publish(channel, composeData(channel, sequence))
    },
    mostPerTurn: () => Infinity,
    drained: async () => {
      const turn = turns.end()
      // Channels may overtake each other, so a turn is over when the broker has its last message.
      void published.then(() => hub.publish(TURNS, turn))
      await turns.untilRoom()
    }
  }
}
