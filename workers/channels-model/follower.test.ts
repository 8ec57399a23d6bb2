import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { Follower } from './follower.ts'
import { Ledger } from './ledger.ts'
import type { Policy } from './plan.ts'

const EPOCH = '9f3c51a0'

/** A client of a channel that has had messages and keeps the last five. @returns it, and what it has found wrong */
function follow(policy: Policy, published: number): { ledger: Ledger; follower: Follower; faults: string[] } {
  const ledger = new Ledger()
  for (let offset = 1; offset <= published; offset++)
    ledger.acknowledge(ledger.attempt('app', 'room'), offset)
  const faults: string[] = []
  const follower = new Follower('room', policy, 5, EPOCH, ledger, (text) => void faults.push(text))
  return { ledger, follower, faults }
}

/** Comes back with the offset 20 to a channel that has had 24. */
function comeBack(policy: Policy): { follower: Follower; faults: string[] } {
  const all = follow(policy, 24)
  all.follower.ask(1, { epoch: EPOCH, offset: 20 })
  all.follower.begin({ epoch: EPOCH, offset: 24 })
  return all
}

test('nothing is wrong with a client that gets all that it missed', () => {
  const { follower, faults } = comeBack('close')
  for (const offset of [21, 22, 23, 24]) follower.message(offset)
  follower.level(1, { epoch: EPOCH, offset: 24, count: 4, lost: null })
  follower.finish()
  deepEqual(faults, [])
})

test('a message that is missing, comes twice or at the wrong place is wrong', () => {
  const hole = comeBack('close')
  for (const offset of [21, 23]) hole.follower.message(offset)
  deepEqual(hole.faults, ['room: message 23 came where 22 is next, and was not told as skipped'])
  const double = comeBack('close')
  for (const offset of [21, 22, 22]) double.follower.message(offset)
  deepEqual(double.faults, ['room: message 22 came where 23 is next'])
  const last = comeBack('close')
  for (const offset of [21, 22, 23]) last.follower.message(offset)
  last.follower.level(1, { epoch: EPOCH, offset: 24, count: 4, lost: null })
  last.follower.finish()
  deepEqual(last.faults, ['room: the end came where 24 is next, and was not told as skipped'])
})

test('a subscription that begins behind what was published after it is wrong', () => {
  for (const [begin, wrong] of [
    [24, []],
    [25, ['room: a subscription begins at 25, and 25 was published behind it']]
  ] as const) {
    const { ledger, follower, faults } = follow('close', 24)
    follower.ask(1, null)
    const attempt = ledger.attempt('client', 'room')
    follower.publish(attempt)
    ledger.acknowledge(attempt, 25)
    follower.begin({ epoch: EPOCH, offset: begin })
    if (begin === 24) follower.message(25)
    follower.level(1, { epoch: EPOCH, offset: 25, count: 25 - begin, lost: null })
    deepEqual(faults, wrong)
  }
})

test('what is told as skipped may be missing, not more and not less', () => {
  const { follower, faults } = comeBack('latest')
  follower.skip({ from: 21, to: 23, count: 2 })
  for (const offset of [22, 24]) follower.message(offset)
  follower.level(1, { epoch: EPOCH, offset: 24, count: 4, lost: null })
  follower.finish()
  deepEqual(faults, [])
  const more = comeBack('latest')
  more.follower.skip({ from: 21, to: 23, count: 2 })
  more.follower.message(24)
  deepEqual(more.faults, ['room: message 24 came where 23 is next, and was not told as skipped'])
  const less = comeBack('latest')
  less.follower.skip({ from: 21, to: 23, count: 2 })
  for (const offset of [21, 23, 24]) less.follower.message(offset)
  less.follower.level(1, { epoch: EPOCH, offset: 24, count: 4, lost: null })
  less.follower.finish()
  deepEqual(less.faults, ['room: 1 more were told as skipped than were missing'])
})

test('only what the history does not keep may be lost', () => {
  const { follower, faults } = follow('close', 24)
  follower.ask(1, { epoch: EPOCH, offset: 10 })
  follower.begin({ epoch: EPOCH, offset: 24 })
  follower.lose({ from: 11, to: 19 }, null, null)
  for (const offset of [20, 21, 22, 23, 24]) follower.message(offset)
  follower.level(1, { epoch: EPOCH, offset: 24, count: 5, lost: { from: 11, to: 19 } })
  follower.finish()
  deepEqual(faults, [])
  const kept = comeBack('close')
  kept.follower.lose({ from: 21, to: 22 }, null, null)
  deepEqual(kept.faults, ['room: lost 21 to 22, and the history has it'])
})

test('a place of another epoch is answered with what is lost, and the right epoch', () => {
  const { follower, faults } = follow('close', 24)
  follower.ask(1, { epoch: 'other', offset: 3 })
  follower.begin({ epoch: EPOCH, offset: 24 })
  follower.lose({ from: 1, to: 24 }, EPOCH, null)
  follower.level(1, { epoch: EPOCH, offset: 24, count: 0, lost: { from: 1, to: 24 } })
  follower.finish()
  deepEqual(faults, [])
  const silent = follow('close', 24)
  silent.follower.ask(1, { epoch: 'other', offset: 3 })
  silent.follower.begin({ epoch: EPOCH, offset: 24 })
  silent.follower.message(24)
  deepEqual(silent.faults, ['room: message 24, and not what is lost before it'])
})

test('behind the answer to an unsubscribe nothing may come', () => {
  const { follower, faults } = comeBack('close')
  for (const offset of [21, 22, 23, 24]) follower.message(offset)
  follower.level(1, { epoch: EPOCH, offset: 24, count: 4, lost: null })
  follower.askToEnd()
  follower.ended()
  follower.message(25)
  deepEqual(faults, ['room: message 25 of no subscription'])
})
