import { deepEqual, doesNotThrow, equal, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSettings } from '../../core/settings.ts'
import type { GivenSettings } from '../../core/settings.ts'
import { Charges, LimitError } from './charges.ts'
import { isClientLimits, readLimits } from './limits.ts'
import type { ClientLimits } from './limits.ts'

/** Charges with a clock that the test moves. */
function create(
  limits: ClientLimits,
  given: GivenSettings = {}
): { charges: Charges; clock: { now: number } } {
  const settings = resolveSettings(given, {}, { spell: (name) => name, isCommand: false })
  const clock = { now: 0 }
  return { charges: new Charges(readLimits(limits, settings), () => clock.now), clock }
}

function refusalOf(call: () => void): LimitError {
  try {
    call()
  } catch (error) {
    ok(error instanceof LimitError)
    return error
  }
  throw new Error('It was not refused')
}

test('messages beyond the burst are refused, with the time to wait in seconds', () => {
  const { charges, clock } = create({ messagesPerSecond: 10, messageBurst: 2 })
  charges.message()
  charges.message()
  const refusal = refusalOf(() => charges.message())
  deepEqual(
    [refusal.code, refusal.message, refusal.retryAfter, refusal.isLast, refusal.closeCode],
    ['SCZ_ERR_LIMIT_MESSAGES', 'You send more than 10 messages a second: slow down', 0.1, false, 1008]
  )
  clock.now = 100
  charges.message()
})

test('who goes on for as many messages as the burst is to be closed, and a pause is an excuse', () => {
  const { charges, clock } = create({ messagesPerSecond: 10, messageBurst: 3 })
  const goOn = (): boolean[] => {
    for (let count = 0; count < 3; count++) charges.message()
    return [1, 2, 3].map(() => refusalOf(() => charges.message()).isLast)
  }
  deepEqual(goOn(), [false, false, true])
  clock.now = 300
  deepEqual(goOn(), [false, false, true])
})

test('who stays a little above the rate for long is to be closed as well', () => {
  const { charges, clock } = create({ messagesPerSecond: 10, messageBurst: 3 })
  let isLast = false
  for (let count = 0; count < 100 && !isLast; count++) {
    clock.now += 80
    try {
      charges.message()
    } catch (error) {
      isLast = (error as LimitError).isLast
    }
  }
  ok(isLast)
})

test('subscriptions count for themselves', () => {
  const { charges } = create({
    messagesPerSecond: 1,
    messageBurst: 1,
    subscriptionsPerSecond: 1,
    subscriptionBurst: 2
  })
  charges.subscription()
  charges.subscription()
  charges.message()
  const refusal = refusalOf(() => charges.subscription())
  deepEqual([refusal.code, refusal.retryAfter, refusal.isLast], ['SCZ_ERR_LIMIT_SUBSCRIPTIONS', 1, false])
  equal(refusalOf(() => charges.subscription()).isLast, true)
})

test('a connection has as many channels as it may, and waiting does not help', () => {
  const { charges } = create({ maxChannels: 2 })
  charges.channel(1)
  const refusal = refusalOf(() => charges.channel(2))
  deepEqual([refusal.code, refusal.retryAfter, refusal.isLast], ['SCZ_ERR_LIMIT_CHANNELS', null, false])
})

test('a name is well formed, not empty, without control characters and not too long in bytes', () => {
  const { charges } = create({ maxChannelNameBytes: 8 })
  for (const name of ['a', 'room:1', 'grüße', '😀😀', 'a b', '*'])
    doesNotThrow(() => charges.channelName(name))
  for (const name of ['', '123456789', 'grüßen!', '\ud83d', 'a\0', 'a\nb', '\x7f', '\x85', 'a\t'])
    equal(refusalOf(() => charges.channelName(name)).code, 'SCZ_ERR_LIMIT_NAME', JSON.stringify(name))
})

test('0 is no limit, and defaults are those of the settings', () => {
  const none = create({ messagesPerSecond: 0, subscriptionsPerSecond: 0, maxChannels: 0 }).charges
  for (let count = 0; count < 10_000; count++) {
    none.message()
    none.subscription()
    none.channel(count)
  }
  const { charges } = create({})
  for (let count = 0; count < 200; count++) charges.message()
  throws(() => charges.message(), { message: 'You send more than 100 messages a second: slow down' })
  for (let count = 0; count < 1000; count++) charges.subscription()
  throws(() => charges.subscription(), { code: 'SCZ_ERR_LIMIT_SUBSCRIPTIONS' })
  const set = create({ messageBurst: 2 }, { messagesPerSecond: 5, messageBurst: 7 }).charges
  set.message()
  set.message()
  throws(() => set.message(), { message: 'You send more than 5 messages a second: slow down' })
})

test('limits that are none are refused by the route', () => {
  ok(isClientLimits({}))
  ok(isClientLimits({ messagesPerSecond: 0, maxChannels: 1_000_000 }))
  for (const wrong of [
    null,
    5,
    { messages: 1 },
    { maxChannels: -1 },
    { maxChannels: '1' },
    { messageBurst: 0.5 }
  ])
    equal(isClientLimits(wrong), false, JSON.stringify(wrong))
})
