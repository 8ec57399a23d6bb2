import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { presenceNameOf } from './data.ts'
import type { HistoryAnswer, HistorySource } from './history.ts'
import { DEFAULT_SLOW_POLICY } from './subscriptions.ts'
import { createHub, loopTurn } from './testing/fake-bus.ts'
import { FakeOutbox, unclosed } from './testing/fake-outbox.ts'

const NAME = presenceNameOf('room')

function state(offset: number, position: number): HistoryAnswer {
  const messages = [{ data: `{"count":${offset}}`, isText: true, key: null, time: 0 }]
  return { epoch: 'epoch', offset, first: offset, messages, position }
}

test('the state comes first, without what it has, and with what was read meanwhile behind it', async () => {
  const { promise, resolve: answer } = Promise.withResolvers<HistoryAnswer>()
  const history: HistorySource = { fetch: () => promise }
  const watched: boolean[] = []
  const presence = { has: () => true, watch: (_: string, isWatched: boolean) => void watched.push(isWatched) }
  const { bus, hub } = createHub({ history, presence })
  const outbox = new FakeOutbox()
  const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
  member.watchPresence('room')
  member.watchPresence('room')
  await loopTurn()
  for (let change = 1; change <= 3; change++) await bus.publish(NAME, `{"change":${change}}`)
  bus.turn(2)
  // The change that comes third is in it, and has not been read here.
  answer(state(3, 3))
  await loopTurn()
  deepEqual(outbox.messages, [])
  await bus.publish(NAME, '{"change":4}')
  bus.turn()
  await loopTurn()
  await bus.publish(NAME, '{"change":5}')
  bus.turn()
  deepEqual(
    outbox.messages,
    [{ count: 3 }, { change: 4 }, { change: 5 }].map((told) => ({ channel: 'room', presence: told }))
  )
  deepEqual(watched, [true])
  member.leave()
  deepEqual(watched, [true, false])
  equal(hub.totals.subscriptions, 0)
})

test('who looks away before the state is there gets nothing', async () => {
  const history: HistorySource = { fetch: () => Promise.resolve(state(0, 0)) }
  const { hub } = createHub({ history, presence: { has: () => true, watch: () => {} } })
  const outbox = new FakeOutbox()
  const member = hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed)
  member.watchPresence('room')
  member.unwatchPresence('room')
  for (let turn = 0; turn < 5; turn++) await loopTurn()
  deepEqual(outbox.messages, [])
})

test('a member has the channels that it has subscribed to, from the request on, and not those that it only watches', async () => {
  const history: HistorySource = { fetch: () => Promise.resolve(state(1, 0)) }
  const { hub } = createHub({ history, presence: { has: () => true, watch: () => {} } })
  const member = hub.join(new FakeOutbox(), DEFAULT_SLOW_POLICY, unclosed)
  equal(member.size, 0)
  member.subscribe('room')
  void member.subscribe('hall', null)
  member.watchPresence('room')
  member.watchPresence('room')
  equal(member.size, 2)
  await loopTurn()
  equal(member.size, 2)
  member.unwatchPresence('room')
  member.unwatchPresence('room')
  equal(member.size, 2)
  member.unsubscribe('room')
  equal(member.size, 1)
  member.unsubscribe('hall')
  equal(member.size, 0)
})
