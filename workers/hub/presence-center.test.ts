import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { until } from '../../core/bus/testing/reader.ts'
import type { Published } from '../../core/bus/bus.ts'
import { type PresenceBus, PresenceCenter } from './presence-center.ts'

/** A log in which a message has its place when the test says so. */
class HeldBus implements PresenceBus {
  readonly epoch = 'epoch'
  messages = 0
  readonly held: { readonly json: string; readonly settle: (error: Error | null) => void }[] = []

  publish(_channel: string, data: string | Uint8Array): Promise<Published> {
    const { promise, resolve, reject } = Promise.withResolvers<Published>()
    const settle = (error: Error | null): void => {
      if (error !== null) return reject(error)
      this.messages++
      resolve({ epoch: 'epoch', offset: this.messages })
    }
    this.held.push({ json: String(data), settle })
    return promise
  }

  offsetOf(): number {
    return this.messages
  }
}

function open(t: TestContext): { bus: HeldBus; center: PresenceCenter; errors: unknown[] } {
  const bus = new HeldBus()
  const errors: unknown[] = []
  const center = new PresenceCenter(bus, (error) => void errors.push(error))
  center.setRule('a', { presence: { interval: 10 } })
  t.after(() => center.close())
  return { bus, center, errors }
}

function joins(center: PresenceCenter, id: string): void {
  center.take(1, [{ channel: 'a', joined: [{ id, data: null }], left: [] }])
}

const state = { epoch: null, after: -1, limit: 1, maxBytes: Infinity }

test('a state that is asked for while a change is under way has the change, and its offset', async (t) => {
  const { bus, center } = open(t)
  center.watch(1, 'a', true)
  joins(center, 'ada')
  await until(() => bus.held.length === 1)
  let isAnswered = false
  const asked = center.fetch('a', state).finally(() => (isAnswered = true))
  joins(center, 'bob')
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
  equal(isAnswered, false)
  equal(bus.held.length, 1, 'one message is under way at most')
  bus.held[0]!.settle(null)
  const { page, read } = await asked
  deepEqual([page.offset, page.first, read], [1, 1, 1])
  equal(page.messages[0]!.data, '{"count":1,"members":[{"id":"ada"}]}')
  await until(() => bus.held.length === 2)
  equal(bus.held[1]!.json, '{"count":2,"joined":[{"id":"bob"}]}')
  bus.held[1]!.settle(null)
})

test('a change that could not be told is followed by the whole state', async (t) => {
  const { bus, center, errors } = open(t)
  center.watch(1, 'a', true)
  joins(center, 'ada')
  await until(() => bus.held.length === 1)
  bus.held[0]!.settle(new Error('The log is full'))
  await until(() => bus.held.length === 2)
  equal(bus.held[1]!.json, '{"count":1,"members":[{"id":"ada"}]}')
  equal(errors.length, 1)
  bus.held[1]!.settle(null)
})

test('a channel that nobody is in and nobody watches takes no memory', async (t) => {
  const { bus, center } = open(t)
  joins(center, 'ada')
  equal(center.members, 1)
  center.take(1, [{ channel: 'a', joined: [], left: ['ada'] }])
  center.watch(1, 'a', true)
  center.watch(1, 'a', false)
  equal(center.rooms, 0)
  equal(bus.held.length, 0)
})

test('what is asked when it has closed is refused', async (t) => {
  const { bus, center } = open(t)
  center.watch(1, 'a', true)
  joins(center, 'ada')
  await until(() => bus.held.length === 1)
  const asked = center.fetch('a', state).catch(({ code }: { code: string }) => code)
  center.close()
  bus.held[0]!.settle(new Error('Closed'))
  equal(await asked, 'SCZ_ERR_CLOSED')
})
