import type { FastifyInstance } from 'fastify'
import { channelName, composeData } from '../broadcast/message.ts'
import { parseOrder, publishAll, PUBLISH_PATH, type Publisher } from '../broadcast/publisher.ts'

/** What the channels have beside messages. */
export interface Features {
  /** The last 1,000 messages of 10 minutes. */
  history?: boolean
  /** Of identities, one for each connection. */
  presence?: boolean
  /** Clients speak the channel protocol, and subscribe by themselves, which the app allows them. */
  protocol?: boolean
}

const CHANNELS = 40
const TURNS = 'turns'

/** An app with an endpoint for each channel, and a route that publishes in the worker that gets the request. */
export function broadcaster(features: Features = {}): (fastify: FastifyInstance) => Promise<void> {
  return async (fastify) => {
    fastify.fast.text('/plaintext', 'Hello, World!')
    addChannels(fastify, features)
    const publisher = publisherOf(fastify.hub)
    fastify.post(PUBLISH_PATH, async ({ url }) => String(await publishAll(publisher, parseOrder(url))))
  }
}

function addChannels({ hub }: FastifyInstance, { history, presence, protocol }: Features): void {
  let identities = 0
  for (let index = 0; index < CHANNELS; index++) {
    const name = channelName(index)
    if (history || presence)
      hub.channel(name, {
        ...(history ? { history: { size: 1000, age: 600 } } : {}),
        ...(presence ? { presence: true } : {})
      })
    hub.route(`/${name}`, {
      ...(presence ? { authenticate: () => ({ id: `identity-${identities++}` }) } : {}),
      ...(protocol ? { authorize: () => true } : { channels: [name] }),
      // Nothing holds the publisher back for slow clients: what they miss is told to them and shows in the report.
      slow: { policy: 'skip' }
    })
  }
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
