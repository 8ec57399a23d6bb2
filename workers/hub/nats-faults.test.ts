import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { type TestContext, test as nodeTest } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type StreamAPI, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { startProxy } from '../../core/bus/testing/cutting-proxy.ts'
import { until } from '../../core/bus/testing/reader.ts'
import { freePort, hasServer, startNats } from '../../core/bus/testing/servers.ts'
import { join, startInstance } from '../testing/instances.ts'
import { assertPresenceOutlastsOutage } from '../testing/presence-outage.ts'

const hasNats = hasServer('nats-server')
const STREAM = 'scherzo_10000_600000'
const RULE = { history: { size: 10_000, age: 600 } }

function test(sentence: string, run: (t: TestContext) => Promise<void>): void {
  if (hasNats) nodeTest(`NATS: ${sentence}`, run)
}

function addressOf({ port }: { readonly port: number }): string {
  return `nats://127.0.0.1:${port}`
}

function assertConsecutive(offsets: readonly number[], from: number): void {
  offsets.forEach((offset, index) => equal(offset, from + index))
}

test('after a restart what was published meanwhile is there, and everybody gets everything', async (t) => {
  const server = await startNats(t)
  const one = await startInstance(t, addressOf(server), { timeout: 20 })
  const other = await startInstance(t, addressOf(server), { timeout: 20 })
  for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
  const members = [await join(one.hubs[0]!, 'ticks'), await join(other.hubs[1]!, 'ticks')]
  for (let index = 0; index < 50; index++) await one.hubs[0]!.publish('ticks', index)
  await server.stop()
  await until(() => !one.center.broker!.isReachable)
  const meanwhile = Promise.all(
    Array.from({ length: 50 }, (_, index) => one.hubs[0]!.publish('ticks', index))
  )
  await server.start()
  equal((await meanwhile).at(-1)!.offset, 100)
  await other.hubs[0]!.publish('ticks', 'last')
  await until(() => members.every(({ offsets }) => offsets.length === 101))
  for (const { offsets, told } of members) {
    assertConsecutive(offsets, 1)
    equal(
      told.some(({ lost }) => lost !== undefined),
      false
    )
  }
  equal(one.center.broker!.reconnects, 1)
})

test('who is in channels is right again when the broker is back, and nobody has left meanwhile', async (t) => {
  const server = await startNats(t)
  await assertPresenceOutlastsOutage(t, server, addressOf(server))
})

test('halted, publishing fails after the time-out, probes see it, and afterwards the stream goes on', async (t) => {
  const server = await startNats(t)
  const one = await startInstance(t, addressOf(server), { timeout: 0.3 })
  one.hubs[0]!.channel('ticks', RULE)
  const client = await join(one.hubs[0]!, 'ticks')
  await one.hubs[0]!.publish('ticks', 1)
  server.halt()
  // It may answer once more before the signal has reached all of its threads.
  const publishOn = async (): Promise<never> => {
    for (;;) await one.hubs[0]!.publish('ticks', 2)
  }
  await rejects(publishOn(), { code: 'SCZ_ERR_BROKER_TIMEOUT' })
  await until(() => !one.center.broker!.isReachable)
  server.resume()
  await until(() => one.center.broker!.isReachable)
  const { offset } = await one.hubs[0]!.publish('ticks', 'on')
  await until(() => client.told.some(({ data }) => data === 'on'))
  assertConsecutive(client.offsets, 1)
  equal(client.offsets.at(-1), offset)
})

test('connections that are cut in the middle of messages lose none and bring none twice', async (t) => {
  const server = await startNats(t)
  const proxy = await startProxy(t, server.port)
  const one = await startInstance(t, addressOf(proxy), { timeout: 20 })
  const other = await startInstance(t, addressOf(proxy), { timeout: 20 })
  for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
  const members = [await join(one.hubs[0]!, 'ticks'), await join(other.hubs[0]!, 'ticks')]
  const offsets = new Set<number>()
  for (let round = 0; round < 3; round++) {
    proxy.cutAfter = 20_000
    const flow = [one, other].flatMap(({ hubs }) =>
      Array.from({ length: 100 }, (_, index) => hubs[0]!.publish('ticks', `${index} ${'x'.repeat(300)}`))
    )
    await delay(100)
    proxy.cutAfter = Infinity
    proxy.cut()
    for (const { offset } of await Promise.all(flow)) offsets.add(offset)
  }
  equal(offsets.size, 600)
  await one.hubs[0]!.publish('ticks', 'last')
  await until(() => members.every((member) => member.offsets.at(-1) === 601))
  for (const member of members) {
    assertConsecutive(member.offsets, 1)
    equal(
      member.told.some(({ lost }) => lost !== undefined),
      false
    )
  }
})

for (const [what, act] of [
  ['purged', async (streams: StreamAPI) => streams.purge(STREAM)],
  ['deleted', async (streams: StreamAPI) => streams.delete(STREAM)]
] as const) {
  test(`a stream that is ${what} is told to those who listen`, async (t) => {
    const server = await startNats(t)
    const one = await startInstance(t, addressOf(server), { timeout: 20 })
    const other = await startInstance(t, addressOf(server), { timeout: 20 })
    for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
    const client = await join(other.hubs[0]!, 'ticks')
    await one.hubs[0]!.publish('ticks', 1)
    await until(() => client.offsets.length === 1)
    const nats = await connect({ servers: `127.0.0.1:${server.port}` })
    await act((await jetstreamManager(nats)).streams)
    await nats.close()
    const { epoch } = await one.hubs[0]!.publish('ticks', 'new')
    await until(() => client.told.some(({ data }) => data === 'new'))
    deepEqual(client.told.slice(1), [
      { channel: 'ticks', epoch, lost: { from: 1, to: 0 } },
      { channel: 'ticks', offset: 1, data: 'new' }
    ])
  })
}

test('a server that comes back without its data takes messages again, and subscribers are told', async (t) => {
  const server = await startNats(t)
  const one = await startInstance(t, addressOf(server), { timeout: 20 })
  const other = await startInstance(t, addressOf(server), { timeout: 20 })
  for (const { hubs } of [one, other]) hubs[0]!.channel('ticks', RULE)
  const client = await join(other.hubs[0]!, 'ticks')
  const before = await one.hubs[0]!.publish('ticks', 1)
  await until(() => client.offsets.length === 1)
  await server.stop('SIGKILL')
  rmSync(`${server.folder}/store`, { recursive: true })
  await server.start()
  const { epoch } = await one.hubs[0]!.publish('ticks', 'new')
  equal(epoch === before.epoch, false)
  await until(() => client.told.some(({ data }) => data === 'new'))
  const notices = client.told.filter(({ channel, lost }) => channel === 'ticks' && lost !== undefined)
  deepEqual(notices, [{ channel: 'ticks', epoch, lost: { from: 1, to: 0 } }])
})

test('a message above the limit is refused with the limit', async (t) => {
  const server = await startNats(t)
  const one = await startInstance(t, addressOf(server))
  await rejects(one.hubs[0]!.publish('ticks', Buffer.alloc(8_388_608)), {
    code: 'SCZ_ERR_BUS_MESSAGE_SIZE',
    message: /8388608/
  })
  await rejects(one.center.hub.publish('ticks', Buffer.alloc(8_388_608)), { code: 'SCZ_ERR_BROKER_REFUSED' })
})

test('a broker that is not there, or not as it should be, is one sentence at the start', async (t) => {
  const port = await freePort()
  await rejects(startInstance(t, addressOf({ port })), { code: 'SCZ_ERR_BROKER_UNREACHABLE' })
  const server = await startNats(t, 'authorization { user: ada, password: right }')
  for (const login of ['', 'ada:wrong@']) {
    await rejects(
      startInstance(t, `nats://${login}127.0.0.1:${server.port}`),
      (error: Error & { code: string }) => {
        equal(error.code, 'SCZ_ERR_BROKER_CREDENTIALS')
        ok(!error.message.includes('wrong'))
        return true
      }
    )
  }
  await startInstance(t, `nats://ada:right@127.0.0.1:${server.port}`)
})

test('a server without JetStream is one sentence at the start', async (t) => {
  const server = await startNats(t, 'jetstream: disabled')
  await rejects(startInstance(t, addressOf(server)), (error: Error & { code: string }) => {
    match(
      error.message,
      /^The broker nats:\/\/127\.0\.0\.1:\d+ is version 2\.\S+ without JetStream: use 2\.9 with JetStream or later$/
    )
    return true
  })
})
