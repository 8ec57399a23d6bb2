// ws with its own permessage-deflate and a send per client, run as: node ws-delivery.ts PORT

import { createServer, type Server } from 'node:http'
import { WebSocketServer } from 'ws'
import { CHANNEL, composeData } from '../delivery/data.ts'
import { parseOrder, publishAll, PUBLISH_PATH } from '../broadcast/publisher.ts'

/** Scherzo's. */
const THRESHOLD = 1000

let published = 0
const server: Server = createServer((request, response) => {
  if (request.url === '/plaintext') {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 13 }).end('Hello, World!')
  } else if (request.method === 'POST' && request.url?.startsWith(PUBLISH_PATH)) {
    void publish(request.url).then((count) => response.end(String(count)))
  } else {
    response.writeHead(404, { 'Content-Length': 0 }).end()
  }
})
const sockets: WebSocketServer = new WebSocketServer({
  server,
  perMessageDeflate: { threshold: THRESHOLD }
})
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 65_535 })

async function publish(url: string): Promise<number> {
  const before = published
  const bytes = Number(new URL(url, 'http://localhost').searchParams.get('bytes'))
  const send = (): void => {
    const data = composeData(published, bytes)
    published++
    // Turned into bytes once, not by every send.
    const message = Buffer.from(JSON.stringify({ channel: CHANNEL, offset: published, data }))
    for (const client of sockets.clients) client.send(message, { binary: false })
  }
  const publisher = { publish: send, mostPerTurn: () => Infinity, drained: () => Promise.resolve() }
  await publishAll(publisher, parseOrder(url))
  return published - before
}
