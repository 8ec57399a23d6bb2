import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test as nodeTest } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '@redis/client'
import type { Published } from '../../core/bus/bus.ts'
import { startProxy } from '../../core/bus/testing/cutting-proxy.ts'
import { until } from '../../core/bus/testing/reader.ts'
import { type TestServer, freePort, hasServer, startRedis } from '../../core/bus/testing/servers.ts'
import { type Instance, join, startInstance } from '../testing/instances.ts'
import { assertPresenceOutlastsOutage } from '../testing/presence-outage.ts'

const hasRedis = hasServer('redis-server')
const RULE = { history: { size: 10_000, age: 600 } }

function test(sentence: string, run: (t: TestContext) => Promise<void>): void {
  if (hasRedis) nodeTest(sentence, run)
}

function addressOf({ port }: { readonly port: number }): string {
  return `redis://127.0.0.1:${port}`
}

/** What an administrator does. */
async function admin(server: TestServer, ...command: string[]): Promise<unknown> {
  const client = createClient({ url: addressOf(server) })
  await client.connect()
  const answer = await client.sendCommand(command)
  client.destroy()
  return answer
}

function publishAll({ hubs }: Instance, channel: string, count: number): Promise<Published[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => hubs[index % hubs.length]!.publish(channel, index))
  )
}

function assertConsecutive(offsets: readonly number[], from: number): void {
  offsets.forEach((offset, index) => equal(offset, from + index))
}

test('Redis restarts with its data: what was published meanwhile waits, and everybody gets everything', async (t) => {
  const server = await startRedis(t, '--appendonly', 'yes')
  const one = await startInstance(t, addressOf(server), { timeout: 20 })
  const other = await startInstance(t, addressOf(server), { timeout: 20 })
  for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
  const members = [await join(one.hubs[0]!, 'ticks'), await join(other.hubs[1]!, 'ticks')]
  await publishAll(one, 'ticks', 50)
  await server.stop()
  await until(() => one.center.broker!.isReachable === false)
  const meanwhile = publishAll(one, 'ticks', 50)
  await server.start()
  equal((await meanwhile).at(-1)!.offset, 100)
  await publishAll(other, 'ticks', 10)
  await until(() => members.every(({ offsets }) => offsets.length === 110))
  for (const { offsets, told } of members) {
    assertConsecutive(offsets, 1)
    equal(
      told.some(({ lost }) => lost !== undefined),
      false
    )
  }
  ok(one.center.broker!.reconnects >= 1)
  ok(one.notices.some((notice) => notice.includes('is lost')))
})

test('who is in channels is right again when the broker is back, and nobody has left meanwhile', async (t) => {
  const server = await startRedis(t)
  await assertPresenceOutlastsOutage(t, server, addressOf(server))
})

test('Redis restarts without its data: subscribers are told the new epoch, and the live stream goes on', async (t) => {
  const server = await startRedis(t)
  const one = await startInstance(t, addressOf(server), { timeout: 20 })
  const other = await startInstance(t, addressOf(server), { timeout: 20 })
  const client = await join(other.hubs[0]!, 'ticks')
  const before = await publishAll(one, 'ticks', 5)
  await until(() => client.offsets.length === 5)
  await server.stop('SIGKILL')
  await until(() => !one.center.broker!.isReachable && !other.center.broker!.isReachable)
  await server.start()
  await until(() => one.center.broker!.isReachable && other.center.broker!.isReachable)
  const after = await publishAll(one, 'ticks', 3)
  const last = await one.hubs[0]!.publish('ticks', 'last')
  await until(() => client.told.some(({ data }) => data === 'last'))
  equal(after[0]!.epoch === before[0]!.epoch, false)
  const notice = client.told.find(({ channel, lost }) => channel === 'ticks' && lost !== undefined)!
  deepEqual([notice.epoch, notice.lost!.from], [after[0]!.epoch, 1])
  assertConsecutive(client.offsets.slice(5), notice.lost!.to + 1)
  equal(client.offsets.at(-1), last.offset)
})

test('a flush is told to those who listen', async (t) => {
  const server = await startRedis(t)
  const one = await startInstance(t, addressOf(server))
  one.hubs[0]!.channel('ticks', RULE)
  const client = await join(one.hubs[0]!, 'ticks')
  await publishAll(one, 'ticks', 5)
  await admin(server, 'FLUSHALL')
  const { epoch } = await one.hubs[1]!.publish('ticks', 'new')
  await until(() => client.told.length === 7)
  deepEqual(client.told.slice(5), [
    { channel: 'ticks', epoch, lost: { from: 1, to: 0 } },
    { channel: 'ticks', offset: 1, data: 'new' }
  ])
})

test('Redis is halted: publishing fails after the time-out, probes see it, and afterwards the stream goes on', async (t) => {
  const server = await startRedis(t)
  const one = await startInstance(t, addressOf(server), { timeout: 0.3 })
  for (const hub of one.hubs) hub.channel('ticks', RULE)
  const client = await join(one.hubs[0]!, 'ticks')
  await publishAll(one, 'ticks', 5)
  server.halt()
  await rejects(one.hubs[0]!.publish('ticks', 'late'), {
    code: 'SCZ_ERR_BROKER_TIMEOUT',
    message: /for 0\.3 s/
  })
  await until(() => !one.center.broker!.isReachable)
  server.resume()
  await until(() => one.center.broker!.isReachable)
  const { offset } = await one.hubs[0]!.publish('ticks', 'on')
  await until(() => client.told.at(-1)!.data === 'on')
  assertConsecutive(client.offsets, 1)
  equal(client.offsets.at(-1), offset)
})

test('Redis is out of memory: the message is refused with the reason, later ones pass', async (t) => {
  const server = await startRedis(t, '--maxmemory', '3mb', '--maxmemory-policy', 'noeviction')
  const one = await startInstance(t, addressOf(server))
  one.hubs[0]!.channel('big', { history: { size: 1000, age: 60 } })
  const fill = async (): Promise<void> => {
    for (let index = 0; index < 100; index++) await one.hubs[0]!.publish('big', 'x'.repeat(100_000))
  }
  await rejects(fill(), { code: 'SCZ_ERR_BROKER_REFUSED', message: /OOM/ })
  equal(one.center.broker!.isReachable, true)
  await admin(server, 'CONFIG', 'SET', 'maxmemory', '0')
  await one.hubs[0]!.publish('big', 'again')
})

test('connections that are cut in the middle of messages cost nobody a message that was answered, and bring none twice', async (t) => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const one = await startInstance(t, addressOf(proxy), { timeout: 20 })
  const other = await startInstance(t, addressOf(proxy), { timeout: 20 })
  for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
  const members = [await join(one.hubs[0]!, 'ticks'), await join(other.hubs[0]!, 'ticks')]
  const answered: number[] = []
  const refused: unknown[] = []
  for (let round = 0; round < 5; round++) {
    proxy.cutAfter = 20_000
    const flow = Array.from({ length: 200 }, (_, index) =>
      one.hubs[0]!.publish('ticks', `${index} ${'x'.repeat(200)}`).then(
        ({ offset }) => void answered.push(offset),
        (error: unknown) => void refused.push((error as { code: unknown }).code)
      )
    )
    await delay(100)
    proxy.cutAfter = Infinity
    proxy.cut()
    await Promise.all(flow)
  }
  const { offset: last } = await one.hubs[0]!.publish('ticks', 'last')
  await until(() => members.every(({ offsets }) => offsets.at(-1) === last))
  for (const { offsets, told } of members) {
    assertConsecutive(offsets, 1)
    equal(
      told.some(({ lost }) => lost !== undefined),
      false
    )
  }
  equal(answered.length + refused.length, 1000)
  for (const code of refused) equal(code, 'SCZ_ERR_BROKER_LOST')
  equal(new Set(answered).size, answered.length)
  ok(answered.length > 0 && last <= 1001)
})

test('what a channel without a history misses while its instance is cut off is told in its place', async (t) => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const one = await startInstance(t, addressOf(server))
  const other = await startInstance(t, addressOf(proxy))
  const client = await join(other.hubs[0]!, 'plain')
  await publishAll(one, 'plain', 3)
  await until(() => client.offsets.length === 3)
  proxy.shut()
  await publishAll(one, 'plain', 4)
  proxy.open()
  await until(() => client.told.length === 4)
  deepEqual(client.told.at(-1), { channel: 'plain', lost: { from: 4, to: 7 } })
  await one.hubs[0]!.publish('plain', 'on')
  await until(() => client.offsets.at(-1) === 8)
  equal(other.center.broker!.lost, 4)
})

test('a channel that Redis has put back behind what was delivered begins anew', async (t) => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const one = await startInstance(t, addressOf(proxy))
  const client = await join(one.hubs[0]!, 'ticks')
  const [{ epoch }] = (await publishAll(one, 'ticks', 5)) as [Published]
  await until(() => client.offsets.length === 5)
  proxy.shut()
  await admin(server, 'HSET', 'scherzo:{c:ticks}:o', 'o', '3')
  proxy.open()
  await until(() => client.told.length === 6)
  const place = await one.hubs[0]!.publish('ticks', 'on')
  await until(() => client.told.length === 7)
  equal(place.epoch === epoch, false)
  deepEqual(client.told.slice(5), [
    { channel: 'ticks', epoch: place.epoch, lost: { from: 1, to: 0 } },
    { channel: 'ticks', offset: 1, data: 'on' }
  ])
})

test('channels begin anew at a Redis that has its data from a snapshot, also where others have overtaken it before anybody looks', async (t) => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const one = await startInstance(t, addressOf(server), { timeout: 20 })
  const other = await startInstance(t, addressOf(proxy), { timeout: 20 })
  for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
  const client = await join(other.hubs[0]!, 'ticks')
  await publishAll(one, 'ticks', 5)
  await admin(server, 'SAVE')
  const [{ epoch }] = (await publishAll(one, 'ticks', 5)) as [Published]
  await until(() => client.offsets.length === 10)
  proxy.shut()
  await server.stop('SIGKILL')
  await server.start()
  const after = await publishAll(one, 'ticks', 20)
  equal(after[0]!.epoch === epoch, false)
  proxy.open()
  await until(() => client.offsets.length === 30)
  deepEqual(
    client.told.filter(({ channel, lost }) => channel === 'ticks' && lost !== undefined),
    [{ channel: 'ticks', epoch: after[0]!.epoch, lost: { from: 1, to: 0 } }]
  )
  assertConsecutive(client.offsets.slice(10), 1)
})

test('a client that comes back while the broker is away is level when it has returned', async (t) => {
  const server = await startRedis(t, '--appendonly', 'yes')
  const one = await startInstance(t, addressOf(server), { timeout: 0.3 })
  one.hubs[0]!.channel('ticks', RULE)
  const [{ epoch }] = (await publishAll(one, 'ticks', 5)) as [Published]
  await server.stop()
  await until(() => !one.center.broker!.isReachable)
  const client = await join(one.hubs[1]!)
  const level = client.member.subscribe('ticks', { epoch, offset: 2 })
  await delay(500)
  await server.start()
  equal((await level)!.count, 3)
  assertConsecutive(client.offsets, 3)
})

test('a connection that is lost while a channel is being subscribed to costs time, not the subscription', async (t) => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const one = await startInstance(t, addressOf(proxy))
  proxy.cutAfter = 0
  const joining = join(one.hubs[0]!, 'ticks')
  await until(() => !one.center.broker!.isReachable)
  proxy.cutAfter = Infinity
  const client = await joining
  await one.hubs[1]!.publish('ticks', 1)
  await until(() => client.offsets.length === 1)
})

test('what somebody else sends to the channels of the broker is not heeded', async (t) => {
  const server = await startRedis(t)
  const one = await startInstance(t, addressOf(server))
  const client = await join(one.hubs[0]!, 'ticks')
  for (const text of ['', 'x', '{}', 'null']) {
    await admin(server, 'PUBLISH', 'scherzo:signals', text)
    await admin(server, 'PUBLISH', 'scherzo:{c:ticks}', text)
  }
  await one.hubs[1]!.publish('ticks', 1)
  await until(() => client.offsets.length === 1)
})

test('only the channels that somebody wants are subscribed to', async (t) => {
  const server = await startRedis(t)
  const one = await startInstance(t, addressOf(server))
  await join(one.hubs[0]!, 'a', 'b')
  await join(one.hubs[1]!, 'a')
  deepEqual(((await admin(server, 'PUBSUB', 'CHANNELS')) as string[]).toSorted(), [
    'scherzo:signals',
    'scherzo:{c:a}',
    'scherzo:{c:b}',
    'scherzo:{c:}'
  ])
  equal(one.center.broker!.channels, 3)
})

test('a broker that is not there, or not as it should be, is one sentence at the start', async (t) => {
  const port = await freePort()
  await rejects(startInstance(t, addressOf({ port })), {
    code: 'SCZ_ERR_BROKER_UNREACHABLE',
    message: /ECONNREFUSED/
  })
  const server = await startRedis(t, '--requirepass', 'right')
  for (const login of ['', ':wrong@', 'ada:wrong@']) {
    await rejects(
      startInstance(t, `redis://${login}127.0.0.1:${server.port}`),
      (error: Error & { code: string }) => {
        equal(error.code, 'SCZ_ERR_BROKER_CREDENTIALS')
        equal(error.message.includes('wrong'), false)
        return true
      }
    )
  }
  await startInstance(t, `redis://:right@127.0.0.1:${server.port}`)
})

test('a Redis that is too old is one sentence at the start', async (t) => {
  const old = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      for (const [, name] of chunk.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const info = 'redis_version:6.2.14\r\n'
        if (name === 'HELLO') socket.write('%1\r\n+version\r\n+6.2.14\r\n')
        else socket.write(name === 'INFO' ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n')
      }
    })
  }).listen(0, '127.0.0.1')
  await once(old, 'listening')
  t.after(() => old.close())
  await rejects(startInstance(t, addressOf(old.address() as AddressInfo)), (error: Error) => {
    match(error.message, /^The broker redis:\/\/127\.0\.0\.1:\d+ is version 6\.2\.14: use 7\.0 or later$/)
    return true
  })
})
