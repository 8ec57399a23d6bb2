import type { FastifyInstance } from 'fastify'
import { parseOrder, publishAll, PUBLISH_PATH } from '../broadcast/publisher.ts'
import { CHANNEL, composeData } from '../delivery/data.ts'

/** A route for each way in which messages reach clients. */
export default async function app(fastify: FastifyInstance): Promise<void> {
  const { hub } = fastify
  fastify.fast.text('/plaintext', 'Hello, World!')
  // Nobody is closed for being slow: what was published is waited for.
  const slow = { maxBytes: 2 ** 26, maxAge: 60_000 }
  const common = { channels: [CHANNEL], slow }
  hub.route('/plain', { ...common, compress: false })
  hub.route('/adaptive', { ...common, compress: false, batch: true })
  hub.route('/paced', { ...common, compress: false, batch: { size: 500, timeout: 0.02 } })
  hub.route('/compressed', common)
  hub.route('/both', { ...common, batch: true })

  let published = 0
  fastify.post(PUBLISH_PATH, async ({ url }) => {
    const before = published
    const bytes = Number(new URL(url, 'http://localhost').searchParams.get('bytes'))
    const publisher = {
      publish: () => void hub.publish(CHANNEL, composeData(published++, bytes)),
      mostPerTurn: () => Infinity,
      drained: () => Promise.resolve()
    }
    await publishAll(publisher, parseOrder(url))
    return String(published - before)
  })
}
