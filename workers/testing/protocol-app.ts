import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ScherzoError, jwt } from '../../index.ts'
import type { Authorize, Identity } from '../../index.ts'
import { SECRET } from '../../routes/websocket/testing/tokens.ts'

// The app of the tests of the channel protocol. A client says in a header who it is.

export default async function app(fastify: FastifyInstance): Promise<void> {
  fastify.hub.channel('room:*', { history: { size: 100, age: 600 }, presence: { interval: 20 } })
  fastify.hub.channel('room:small', { maxMessageBytes: 10 })
  fastify.hub.route('/live', {
    channels: ['ticks'],
    authenticate: byHeader,
    authorize,
    presenceData: ({ id }) => ({ name: id.toUpperCase() })
  })
  fastify.hub.route('/closed', { channels: ['ticks'] })
  fastify.hub.route('/echo', { onMessage: (socket, data) => socket.send(data) })
  fastify.hub.route('/both', {
    protocols: ['other', 'scherzo.v1'],
    onMessage: (socket, data) => socket.send(data),
    onOpen: (socket) => socket.subscribe('room:open')
  })
  fastify.hub.route('/token', {
    authenticate: jwt({ secret: SECRET, from: ['message'], messageTimeout: 1 }),
    authorize
  })
  fastify.hub.route('/unavailable', {
    authenticate: {
      authenticate: async () => null,
      verify: () => Promise.reject(new ScherzoError('SCZ_ERR_IDENTITY_UNAVAILABLE')),
      messageTimeout: 10
    }
  })
  fastify.hub.route('/renewed', {
    authenticate: {
      authenticate: async (request) => byHeader(request),
      verify: () => Promise.reject(new ScherzoError('SCZ_ERR_IDENTITY_UNAVAILABLE')),
      messageTimeout: null
    }
  })
  fastify.hub.route('/failing', {
    onOpen: () => {
      throw new Error('The app fails')
    }
  })
  fastify.hub.route('/slow', {
    channels: ['floods'],
    slow: { policy: 'close', maxBytes: 65_536, maxAge: 60_000 }
  })
  fastify.hub.route('/limited', {
    authorize,
    limits: {
      messagesPerSecond: 1,
      messageBurst: 3,
      subscriptionsPerSecond: 1,
      subscriptionBurst: 3,
      maxChannels: 2
    }
  })
  fastify.hub.route('/small', { maxMessageBytes: 100, maxFragments: 2 })
}

function byHeader({ headers }: FastifyRequest): Identity | null {
  const { 'x-user': id, 'x-expires': expires } = headers
  if (typeof id !== 'string') return null
  return { id, ...(typeof expires === 'string' && { expires: Number(expires) }) }
}

/** Rooms are for all, news are for reading; "later" takes its time, and "broken" fails. */
const authorize: Authorize = async (_identity, channel, action) => {
  const [kind, milliseconds] = channel.split(':')
  if (kind === 'broken') throw new Error('The app fails')
  if (kind === 'later') await delay(Number(milliseconds))
  if (kind === 'news' || kind === 'ticks') return action === 'subscribe'
  return kind === 'room' || kind === 'later'
}
