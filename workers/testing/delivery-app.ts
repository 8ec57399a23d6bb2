import type { FastifyInstance } from 'fastify'

// The app of the tests in which channels reach real WebSockets in every form.
export default async function app(fastify: FastifyInstance): Promise<void> {
  const { hub } = fastify
  hub.channel('orders', { history: { size: 1000, age: 60 } })
  const protocols = ['orders.v1']
  hub.route('/orders', { channels: ['orders'], protocols })
  hub.route('/batched', { channels: ['orders'], protocols, batch: { size: 100, timeout: 0.01 } })
  hub.route('/binary', { channels: ['orders'], binary: true })
  hub.route('/later', {
    protocols,
    batch: { size: 100, timeout: 0.01 },
    onMessage: (socket, data) => socket.subscribe('orders', JSON.parse(String(data)))
  })
  hub.route('/bytes', {
    protocols,
    onMessage: (_socket, data, isBinary) => {
      if (isBinary) void hub.publish('orders', data)
    },
    channels: ['orders']
  })
}
