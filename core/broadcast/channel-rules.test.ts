import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { type ChannelRule, ChannelRules, dataOf } from './channel-rules.ts'
import { checkRule } from './rule-checks.ts'

const keep = (size: number): ChannelRule => ({ history: { size, age: 60 } })

/** The size of the rule that holds for each channel. */
function sizesOf(rules: ChannelRules, ...channels: string[]): (number | undefined)[] {
  return channels.map((channel) => rules.of(channel)?.history?.size)
}

test('a star stands for one segment that is not empty', () => {
  const rules = new ChannelRules()
  rules.set('room:*', keep(1))
  deepEqual(sizesOf(rules, 'room:1', 'room:é', 'room:', 'room', 'room:1:2', 'hall:1', 'room:*'), [
    1,
    1,
    undefined,
    undefined,
    undefined,
    undefined,
    1
  ])
})

test('the most specific rule holds, whatever the order in which they were set', () => {
  const patterns = ['*:*:*', '*:b:*', 'a:*:*', 'a:*:c', 'a:b:c', '*:b:c']
  for (const order of [patterns, patterns.toReversed()]) {
    const rules = new ChannelRules()
    for (const pattern of order) rules.set(pattern, keep(1 + patterns.indexOf(pattern)))
    deepEqual(sizesOf(rules, 'a:b:c', 'a:x:c', 'a:b:x', 'x:b:c', 'x:b:x', 'x:x:x'), [5, 4, 3, 6, 2, 1])
  }
})

test('a later rule for the same pattern replaces the earlier, also for channels that were looked up', () => {
  const rules = new ChannelRules()
  equal(rules.set('*', keep(1)), true)
  deepEqual(sizesOf(rules, 'ticks'), [1])
  equal(rules.set('*', keep(1)), false)
  equal(rules.set('*', keep(2)), true)
  deepEqual(sizesOf(rules, 'ticks'), [2])
  equal(rules.set('*', {}), true)
  deepEqual(sizesOf(rules, 'ticks'), [undefined])
})

test('what is looked up stays right when there are more channels than are remembered', () => {
  const rules = new ChannelRules()
  rules.set('room:*', keep(1))
  for (let index = 0; index < 20_001; index++) equal(rules.of(`room:${index}`)?.history?.size, 1)
})

test('a wrong pattern or rule is an error with a code', () => {
  const history = { size: 1, age: 1 }
  for (const pattern of ['', 'a*', 'room:a*', '**', '\ud83d', 'é'.repeat(513), 7 as never])
    throws(() => checkRule(pattern, { history }), { code: 'SCZ_ERR_HUB_RULE' }, pattern)
  for (const rule of [
    null,
    'all',
    { past: history },
    { history: 5 },
    { history: null },
    { history: { size: 0, age: 1 } },
    { history: { size: 1.5, age: 1 } },
    { history: { size: 1e9, age: 1 } },
    { history: { size: 1 } },
    { history: { size: 1, age: 0 } },
    { history: { size: 1, age: NaN } },
    { history: { size: 1, age: '1' } },
    { subscribe: true },
    { publish: 'some' },
    { seePresence: null },
    { key: '' },
    { key: 7 },
    { slow: 'skip' },
    { slow: { policy: 'drop' } },
    { slow: { maxBytes: 0 } },
    { slow: { maxAge: 1.5 } },
    { slow: { patience: 1 } },
    { maxMessageBytes: 0 },
    { maxMessageBytes: '1' },
    { maxMessageBytes: 2 ** 31 }
  ])
    throws(() => checkRule('ticks', rule as never), { code: 'SCZ_ERR_HUB_RULE' })
  checkRule('*', {})
  checkRule('a:*:c', { history: { size: 1_000_000, age: 0.5 } })
  checkRule('*', { history: undefined, key: undefined } as never)
  checkRule('*', { subscribe: 'all', publish: () => true, seePresence: 'none', key: (data) => String(data) })
  checkRule('*', { slow: { policy: 'skip' }, key: 'id', maxMessageBytes: 1 })
})

test('what is wrong with a rule is said in words', () => {
  throws(() => checkRule('room:*', { publish: 'nobody' as never }), {
    message:
      'Invalid rule for the channels "room:*": publish has to be "all", "identified", "none" or a function'
  })
  throws(() => checkRule('room:*', { slow: { maxBytes: -1 } }), {
    message:
      'Invalid rule for the channels "room:*": slow has to be { policy: "close", "skip" or "latest", maxBytes, maxAge in milliseconds }'
  })
})

test('functions stay where they are, and do not count when rules are compared', () => {
  const rules = new ChannelRules()
  const first: ChannelRule = { ...keep(1), subscribe: () => false, publish: 'none', key: () => null }
  deepEqual(dataOf(first), { ...keep(1), publish: 'none' })
  equal(rules.set('*', first), true)
  const second: ChannelRule = { ...keep(1), subscribe: () => true, publish: 'none' }
  equal(rules.set('*', second), false)
  equal(rules.of('ticks'), second)
  equal(rules.set('*', { ...second, publish: 'all' }), true)
})

test('rules tell whether any of them says who may subscribe', () => {
  const rules = new ChannelRules()
  rules.set('*', { publish: 'none' })
  equal(rules.sayWhoSubscribes, false)
  rules.set('room:*', { subscribe: 'all' })
  equal(rules.sayWhoSubscribes, true)
})
