import type { FastifyInstance } from 'fastify'
import { channelName, composeData } from '../broadcast/message.ts'
import {
  MESSAGES_PER_TURN,
  parseOrder,
  publishAll,
  PUBLISH_PATH,
  type Publisher
} from '../broadcast/publisher.ts'

const CHANNELS = 40

/** An endpoint for each channel, and a route that publishes in the worker that gets the request. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.fast.text('/plaintext', 'Hello, World!')
  for (let index = 0; index < CHANNELS; index++) {
    const name = channelName(index)
    // Nothing holds the publisher back for slow clients: what they miss is told to them and shows in the report.
    fastify.hub.route(`/${name}`, { channels: [name], slow: { policy: 'skip' } })
  }
  fastify.post(PUBLISH_PATH, async ({ url }) =>
    String(await publishAll(publisherOf(fastify.hub), parseOrder(url)))
  )
}

/** Held back by the promises of the hub: a turn's messages may be under way while the next turn's are published. */
function publisherOf(hub: FastifyInstance['hub']): Publisher {
  let underWay = 0
  let resume: (() => void) | null = null

  function land(): void {
    underWay--
    if (underWay <= MESSAGES_PER_TURN) resume?.()
  }

  return {
    publish: (channel, sequence) => {
      underWay++
      void hub.publish(channel, composeData(channel, sequence)).then(land)
    },
    messagesPerTurn: () => MESSAGES_PER_TURN,
    drained: () =>
      new Promise((resolve) => {
        resume = resolve
        if (underWay <= MESSAGES_PER_TURN) resolve()
      })
  }
}
