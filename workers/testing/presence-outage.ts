import { deepEqual } from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../core/bus/testing/reader.ts'
import type { TestServer } from '../../core/bus/testing/servers.ts'
import { join, startInstance } from './instances.ts'

/** Who is in channels is right again when the broker is back, and nobody has left meanwhile. */
export async function assertPresenceOutlastsOutage(
  t: TestContext,
  server: TestServer,
  address: string
): Promise<void> {
  const one = await startInstance(t, address)
  const other = await startInstance(t, address)
  for (const hub of [...one.hubs, ...other.hubs]) hub.channel('room:*', { presence: { interval: 10 } })
  const watcher = await join(one.hubs[0]!)
  watcher.member.watchPresence('room:a')
  const enter = (id: string): void => other.hubs[0]!.attendance.enter('room:a', { id, data: null })
  for (const id of ['ada', 'bob', 'cyd']) enter(id)
  await until(() => watcher.presence.size === 3)
  await server.stop()
  await until(() => !one.center.broker!.isReachable && !other.center.broker!.isReachable)
  enter('dan')
  other.hubs[0]!.attendance.leave('room:a', 'bob')
  // Longer than an instance may be silent.
  await delay(8000)
  deepEqual(watcher.left, [])
  await server.start()
  await until(() => [...watcher.presence.keys()].toSorted().join() === 'ada,cyd,dan')
  deepEqual(watcher.left, ['bob'])
}
