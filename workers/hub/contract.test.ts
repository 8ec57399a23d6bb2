import {
  hasServer,
  startNats,
  startRedis,
  startRedisCluster,
  startSentinel
} from '../../core/bus/testing/servers.ts'
import { startInstance } from '../testing/instances.ts'
import { testContract } from '../testing/hub-contract.ts'

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
  testContract('Redis Cluster', async (t) => {
    const nodes = await startRedisCluster(t, 3)
    const address = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
    return [await startInstance(t, address), await startInstance(t, address)]
  })
  testContract('Redis Sentinel', async (t) => {
    const { port } = await startSentinel(t, await startRedis(t))
    const address = `redis+sentinel://127.0.0.1:${port}/main`
    return [await startInstance(t, address), await startInstance(t, address)]
  })
}

if (hasServer('nats-server')) {
  testContract('NATS', async (t) => {
    const { port } = await startNats(t)
    const address = `nats://127.0.0.1:${port}`
    return [await startInstance(t, address), await startInstance(t, address)]
  })
}
