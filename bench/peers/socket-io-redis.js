// Socket.IO with its Redis adapter, run as: node socket-io-redis.js publisher|fan-out REDIS PORT

import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-adapter'
import { createClient } from 'redis'
import { Server } from 'socket.io'
import { composeEventData, MESSAGE_BYTES } from '../broadcast/message.ts'
import { messagesForSends, untilCaughtUp } from '../broadcast/publisher.ts'
import { Turns, TURNS, TURNS_HAD } from '../instances/turns.ts'
import { control } from './control.ts'

// Its turns are smaller than Scherzo's, because it asks every socket at the end of each.
const TURNS_UNDER_WAY = 16

const [role, url, port] = process.argv.slice(2)
const turns = new Turns(TURNS_UNDER_WAY)
// As many as the other instance has; known from its first answer on.
let subscribers = Infinity

const server = createServer(
  control({
    publish: (channel, sequence) => io.emit(channel, composeEventData(channel, sequence)),
    mostPerTurn: () => messagesForSends(subscribers),
    drained: async () => {
      io.serverSideEmit(TURNS, turns.end())
      await turns.untilRoom()
    }
  })
)
const publishing = createClient({ url })
const subscribing = publishing.duplicate()
await Promise.all([publishing.connect(), subscribing.connect()])
const io = new Server(server, { transports: ['websocket'], adapter: createAdapter(publishing, subscribing) })

if (role === 'publisher') {
  io.on(TURNS_HAD, (turn, sockets) => {
    subscribers = sockets
    turns.had(turn)
  })
} else {
  io.on(TURNS, async (turn) => {
    const { sockets } = io.of('/')
    await untilCaughtUp(() => sockets.values(), held)
    io.serverSideEmit(TURNS_HAD, turn, sockets.size)
  })
}

server.listen({ port: Number(port), host: '127.0.0.1', backlog: 65_535 })

function held({ conn }) {
  return conn.writeBuffer.length * MESSAGE_BYTES + conn.transport.socket.bufferedAmount
}
