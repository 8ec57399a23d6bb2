// ws with a send per client, run as: node ws-broadcast.ts PORT

import { createServer, type Server } from 'node:http'
import { WebSocketServer } from 'ws'
import { composeMessage } from '../broadcast/message.ts'
import { messagesForSends, untilCaughtUp } from '../broadcast/publisher.ts'
import { control } from './control.ts'

const server: Server = createServer(
  control({
    publish: (channel, sequence) => {
      // Turned into bytes once, not by every send.
      const message = Buffer.from(composeMessage(channel, sequence))
      for (const client of sockets.clients) client.send(message, { binary: false })
    },
    mostPerTurn: () => messagesForSends(sockets.clients.size),
    drained: () =>
      untilCaughtUp(
        () => sockets.clients,
        (client) => client.bufferedAmount
      )
  })
)
const sockets: WebSocketServer = new WebSocketServer({ server })

server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 65_535 })
