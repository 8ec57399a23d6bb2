// Plain Fastify, run as: node fastify.ts PORT

import Fastify from 'fastify'
import { messageSchema } from '../apps/message-schema.ts'
import users from '../apps/users.ts'

const fastify = Fastify()

fastify.get('/plaintext', { schema: { response: { 200: { type: 'string' } } } }, (_request, reply) => {
  reply.send('Hello, World!')
})

fastify.get('/json', { schema: messageSchema }, (_request, reply) => {
  reply.send({ message: 'Hello, World!' })
})

fastify.register(users)

// The listen queue is as long as the kernel allows: 16,384 clients come at once.
await fastify.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 65_535 })
