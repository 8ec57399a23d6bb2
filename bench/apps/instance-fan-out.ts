import type { FastifyInstance } from 'fastify'
import { channelName } from '../broadcast/message.ts'
import { TURNS, TURNS_HAD } from '../instances/turns.ts'

/** The instance with the subscribers. */
export default async function app({ fast, hub }: FastifyInstance): Promise<void> {
  fast.text('/plaintext', 'Hello, World!')
  const channel = channelName(0)
  hub.route(`/${channel}`, { channels: [channel], slow: { policy: 'skip' } })
  hub.subscribe(TURNS, ({ data }) => void hub.publish(TURNS_HAD, data))
}
