// @fastify/websocket with the loop of its documentation, run as: node fastify-websocket.ts PORT

import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { composeMessage } from '../broadcast/message.ts'
import {
  messagesForSends,
  parseOrder,
  publishAll,
  PUBLISH_PATH,
  type Publisher,
  untilCaughtUp
} from '../broadcast/publisher.ts'

const fastify = Fastify()

const publisher: Publisher = {
  publish: (channel, sequence) => {
    const message = composeMessage(channel, sequence)
    for (const client of fastify.websocketServer.clients) client.send(message)
  },
  mostPerTurn: () => messagesForSends(fastify.websocketServer.clients.size),
  drained: () =>
    untilCaughtUp(
      () => fastify.websocketServer.clients,
      (client) => client.bufferedAmount
    )
}

await fastify.register(websocket)
fastify.get('/plaintext', (_request, reply) => reply.type('text/plain').send('Hello, World!'))
fastify.post(PUBLISH_PATH, async ({ url }) => String(await publishAll(publisher, parseOrder(url))))
fastify.get('/:channel', { websocket: true }, () => {})

await fastify.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 65_535 })
