import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { ChannelRules } from './channel-rules.ts'
import { hasPresence, limitsOf } from './presence-rule.ts'
import { checkRule } from './rule-checks.ts'

test('a rule with presence has limits of its own or the usual ones', () => {
  deepEqual(limitsOf({ presence: true }), { maxMembers: 1000, interval: 200 })
  deepEqual(limitsOf({ presence: {} }), { maxMembers: 1000, interval: 200 })
  deepEqual(limitsOf({ presence: { maxMembers: 5 } }), { maxMembers: 5, interval: 200 })
  deepEqual(limitsOf(null), { maxMembers: 1000, interval: 200 })
})

test('who is there is known in channels whose most specific rule says so', () => {
  const rules = new ChannelRules()
  equal(rules.set('room:*', { presence: true }), true)
  equal(rules.set('room:*', { presence: { interval: 200 } }), false, 'the same by another name')
  equal(rules.set('room:*', { presence: { interval: 100 } }), true)
  rules.set('room:secret', { history: { size: 1, age: 1 } })
  deepEqual(
    ['room:a', 'room:secret', 'room', `room:${'x'.repeat(1018)}`, `room:${'x'.repeat(1019)}`].map((channel) =>
      hasPresence(rules, channel)
    ),
    [true, false, false, true, false]
  )
})

test('no rule holds for what tells the members of a channel', () => {
  const rules = new ChannelRules()
  for (const pattern of ['*', '*:*']) rules.set(pattern, { history: { size: 1, age: 1 } })
  deepEqual([rules.of('\0a'), rules.of('\0room:a')], [null, null])
})

test('wrong presence in a rule is an error with a code', () => {
  for (const presence of [
    false,
    null,
    1,
    { members: 1 },
    { maxMembers: 0 },
    { maxMembers: 5001 },
    { maxMembers: 1.5 },
    { interval: 9 },
    { interval: 60_001 },
    { interval: '200' }
  ])
    throws(() => checkRule('a', { presence: presence as never }), { code: 'SCZ_ERR_HUB_RULE' })
  checkRule('a', { presence: { maxMembers: 5000, interval: 10 }, history: { size: 1, age: 1 } })
})
