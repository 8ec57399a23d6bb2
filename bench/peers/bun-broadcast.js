// Bun.serve with server.publish, run as: bun bun-broadcast.js PORT

import { composeMessage } from '../broadcast/message.ts'
import { parseOrder, publishAll, PUBLISH_PATH, untilCaughtUp } from '../broadcast/publisher.ts'

const sockets = new Set()

const publisher = {
  publish: (channel, sequence) => server.publish(channel, composeMessage(channel, sequence)),
  mostPerTurn: () => Infinity,
  drained: () =>
    untilCaughtUp(
      () => sockets,
      (socket) => socket.getBufferedAmount()
    )
}

/* global Bun */
const server = Bun.serve({
  port: Number(process.argv[2]),
  hostname: '127.0.0.1',
  development: false,
  // Seconds, the most there are.
  idleTimeout: 255,
  routes: {
    '/plaintext': new Response('Hello, World!', { headers: { 'Content-Type': 'text/plain' } }),
    [PUBLISH_PATH]: {
      POST: async ({ url }) => new Response(String(await publishAll(publisher, parseOrder(url))))
    }
  },
  fetch: (request, server) => {
    const channel = new URL(request.url).pathname.slice(1)
    return server.upgrade(request, { data: { channel } }) ? undefined : new Response(null, { status: 404 })
  },
  websocket: {
    // Seconds, the most there are: an idle socket must still be there when its memory is read.
    idleTimeout: 960,
    // Past it Bun would leave messages out without a word.
    backpressureLimit: 1024 * 1024 * 1024,
    open: (socket) => {
      socket.subscribe(socket.data.channel)
      sockets.add(socket)
    },
    message: () => {},
    close: (socket) => sockets.delete(socket)
  }
})
