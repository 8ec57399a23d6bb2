// Bare node:http, run as: node node-http.ts PORT

import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.url === '/plaintext') {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 13 })
    response.end('Hello, World!')
  } else if (request.url === '/json') {
    const body = JSON.stringify({ message: 'Hello, World!' })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  } else {
    response.writeHead(404, { 'Content-Length': 0 })
    response.end()
  }
})

// Fastify's. Node's own 5 s would close idle connections before their memory is read.
server.keepAliveTimeout = 72_000

server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 65_535 })
