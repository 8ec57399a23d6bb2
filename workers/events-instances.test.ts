import { deepEqual, equal } from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type TestServer, closeFirst, hasServer, startNats, startRedis } from '../core/bus/testing/servers.ts'
import { serve } from './serve.ts'
import type { ScherzoServer } from './server.ts'
import { EventReader } from './testing/event-reader.ts'

const app = fileURLToPath(new URL('./testing/events-app.ts', import.meta.url))

/** Two servers with a broker between them. */
async function startPair(t: TestContext, broker: string): Promise<readonly [ScherzoServer, ScherzoServer]> {
  const options = {
    port: 0,
    workers: 2,
    logLevel: 'silent',
    drainTimeout: 1,
    broker,
    brokerTimeout: 60
  } as const
  const pair = [await serve(app, options), await serve(app, options)] as const
  for (const server of pair) closeFirst(t, () => server.close())
  return pair
}

async function follow(
  t: TestContext,
  { address }: ScherzoServer,
  channel: string,
  ...headers: readonly string[]
): Promise<EventReader> {
  const reader = await EventReader.open(Number(new URL(address).port), `/events/${channel}`, headers)
  t.after(() => reader.close())
  await reader.until(() => reader.notices('subscribed').length === 1)
  return reader
}

async function publish(server: ScherzoServer, from: number, to: number): Promise<string> {
  let place = { epoch: '' }
  for (let number = from; number <= to; number++) place = await server.publish('room:1', { number })
  return place.epoch
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

function idsOf({ events }: EventReader): string[] {
  return events.flatMap(({ event, id }) => (event === undefined ? (id ?? []) : []))
}

function numbersOf({ messages }: EventReader): number[] {
  return messages.map(({ data }) => (data as { readonly number: number }).number)
}

/** Of its channel: the one to all sockets is lost, too. */
function lossesOf(reader: EventReader): unknown[] {
  return reader.notices('lost').filter((notice) => (notice as { channel?: string }).channel === 'room:1')
}

function testStreams(
  name: string,
  startBroker: (t: TestContext) => Promise<readonly [TestServer, string]>,
  forget: (broker: TestServer) => Promise<void>
): void {
  test(`${name}: a stream has what is published at another server, and goes on there behind its last event`, async (t) => {
    const [, address] = await startBroker(t)
    const [here, there] = await startPair(t, address)
    const first = await follow(t, here, 'room:1')
    const epoch = await publish(there, 1, 100)
    await first.take(100)
    deepEqual(
      idsOf(first),
      range(1, 100).map((offset) => `${epoch}:${offset}`)
    )
    deepEqual(numbersOf(first), range(1, 100))
    first.close()
    await publish(here, 101, 200)
    // Some of it while it catches up.
    const publishing = publish(here, 201, 300)
    const second = await follow(t, there, 'room:1', `Last-Event-ID: ${epoch}:100`)
    await publishing
    await publish(there, 301, 400)
    await second.take(300)
    deepEqual(
      idsOf(second),
      range(101, 400).map((offset) => `${epoch}:${offset}`)
    )
    deepEqual(numbersOf(second), range(101, 400))
    deepEqual(second.notices('lost'), [])
  })

  test(`${name}: streams are told that the broker has lost a channel, those that are open and one that comes back elsewhere`, async (t) => {
    const [broker, address] = await startBroker(t)
    const [here, there] = await startPair(t, address)
    const open = await follow(t, here, 'room:1')
    const left = await follow(t, here, 'room:1')
    const before = await publish(there, 1, 10)
    await open.take(10)
    await left.take(10)
    const { lastId } = left
    equal(lastId, `${before}:10`)
    left.close()
    await forget(broker)
    const after = await publish(there, 11, 20)
    equal(after === before, false)
    await open.take(20)
    deepEqual(numbersOf(open), range(1, 20))
    deepEqual(lossesOf(open), [{ channel: 'room:1', epoch: after, lost: { from: 1, to: 0 } }])
    const back = await follow(t, there, 'room:1', `Last-Event-ID: ${lastId}`)
    await publish(here, 21, 21)
    await open.take(21)
    await back.until(() => numbersOf(back).at(-1) === 21)
    // What has been published since is told as lost to it, or is there: nothing of it goes without a word.
    const [{ lost }] = lossesOf(back) as [{ readonly lost: { readonly to: number } }]
    deepEqual(lossesOf(back), [{ channel: 'room:1', epoch: after, lost: { from: 1, to: lost.to } }])
    deepEqual(
      idsOf(back),
      range(lost.to + 1, 11).map((offset) => `${after}:${offset}`)
    )
    equal(idsOf(open).at(-1), `${after}:11`)
  })
}

if (hasServer('redis-server')) {
  testStreams(
    'Redis',
    async (t) => {
      const server = await startRedis(t)
      return [server, `redis://127.0.0.1:${server.port}`]
    },
    async (broker) => {
      await broker.stop('SIGKILL')
      await broker.start()
    }
  )
}
if (hasServer('nats-server')) {
  testStreams(
    'NATS',
    async (t) => {
      const server = await startNats(t)
      return [server, `nats://127.0.0.1:${server.port}`]
    },
    async (broker) => {
      await broker.stop('SIGKILL')
      rmSync(join(broker.folder, 'store'), { recursive: true, force: true })
      await broker.start()
    }
  )
}
