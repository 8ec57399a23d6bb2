import { hasServer, startNats, startRedis } from '../../core/bus/testing/servers.ts'
import { startInstance } from '../testing/instances.ts'
import { testContract } from './contract.ts'

testContract('memory', async (t) => {
  const instance = await startInstance(t, 'memory')
  return [instance, instance]
})

if (hasServer('redis-server')) {
  testContract('Redis', async (t) => {
    const { port } = await startRedis(t)
    const address = `redis://127.0.0.1:${port}`
    return [await startInstance(t, address), await startInstance(t, address)]
  })
}

if (hasServer('nats-server') && process.env['NONATS'] === undefined) {
  testContract('NATS', async (t) => {
    const { port } = await startNats(t)
    const address = `nats://127.0.0.1:${port}`
    return [await startInstance(t, address), await startInstance(t, address)]
  })
}
