import type { RequestListener } from 'node:http'
import { parseOrder, publishAll, PUBLISH_PATH, type Publisher } from '../broadcast/publisher.ts'

/** What every peer on node:http answers: the check that it is alive, and the order to publish. */
export function control(publisher: Publisher): RequestListener {
  return (request, response) => {
    if (request.url === '/plaintext') {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 13 })
      response.end('Hello, World!')
    } else if (request.method === 'POST' && request.url?.startsWith(PUBLISH_PATH)) {
      void publishAll(publisher, parseOrder(request.url)).then((rounds) => response.end(String(rounds)))
    } else {
      response.writeHead(404, { 'Content-Length': 0 })
      response.end()
    }
  }
}
