// Socket.IO, run as: node socket-io.js PORT

import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { composeEventData, MESSAGE_BYTES } from '../broadcast/message.ts'
import { messagesForSends, untilCaughtUp } from '../broadcast/publisher.ts'
import { control } from './control.ts'

const server = createServer(
  control({
    publish: (channel, sequence) => io.emit(channel, composeEventData(channel, sequence)),
    mostPerTurn: () => messagesForSends(io.of('/').sockets.size),
    drained: () =>
      untilCaughtUp(
        () => io.of('/').sockets.values(),
        ({ conn }) => conn.writeBuffer.length * MESSAGE_BYTES + conn.transport.socket.bufferedAmount
      )
  })
)
const io = new Server(server, { transports: ['websocket'] })

server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 65_535 })
