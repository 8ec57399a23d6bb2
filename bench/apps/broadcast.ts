import type { FastifyInstance } from 'fastify'
import { channelName, composeData } from '../broadcast/message.ts'
import { parseOrder, publishAll, PUBLISH_PATH, type Publisher } from '../broadcast/publisher.ts'

const CHANNELS = 40
const TURNS = 'turns'

/** An endpoint for each channel, and a route that publishes in the worker that gets the request. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/plaintext', 'Hello, World!')
  for (let index = 0; index < CHANNELS; index++) {
    const name = channelName(index)
    // Nothing holds the publisher back for slow clients: what they miss is told to them and shows in the report.
    fastify.hub.route(`/${name}`, { channels: [name], slow: { policy: 'skip' } })
  }
  const publisher = publisherOf(fastify.hub)
  fastify.post(PUBLISH_PATH, async ({ url }) => String(await publishAll(publisher, parseOrder(url))))
}

/**
 * A promise of the hub resolves when its message has a place in the log, which may be far ahead of the fan-out. So every
 * turn ends with a message to this worker itself, and one turn may be on its way while the next one is published.
 */
function publisherOf(hub: FastifyInstance['hub']): Publisher {
  let turns = 0
  let turnsRead = 0
  let resume: (() => void) | null = null
  hub.subscribe(TURNS, () => {
    turnsRead++
    resume?.()
  })
  return {
    publish: (channel, sequence) => void hub.publish(channel, composeData(channel, sequence)),
    mostPerTurn: () => Infinity,
    drained: async () => {
      turns++
      await hub.publish(TURNS, turns)
      if (turns - turnsRead > 1) await new Promise<void>((resolve) => (resume = resolve))
    }
  }
}
